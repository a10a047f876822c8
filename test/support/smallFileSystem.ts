import { spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { ToolFailedError } from "@openemr-ops/core/errors";

/** A file system of a few megabytes, to be filled. */
export interface SmallFileSystem extends AsyncDisposable {
  readonly path: string;
  resize(megabytes: number): void;
}

/** Runs a program that only root may run. */
export const asRoot = (command: string, ...args: readonly string[]): void => {
  const isRoot = process.getuid?.() === 0;
  const [program, ...rest] = isRoot ? [command, ...args] : ["sudo", "--non-interactive", command, ...args];
  const { status, error, stderr } = spawnSync(program ?? command, rest, { encoding: "utf8" });
  if (status !== 0) throw new ToolFailedError(`${command} needs root, or sudo without a password: ${error ?? stderr}`);
};

/** Mounts one at `path`, which is made; everybody may write there. */
export const smallFileSystem = async (path: string, megabytes: number): Promise<SmallFileSystem> => {
  await mkdir(path, { recursive: true });
  asRoot("mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=0777`, "none", path);
  return {
    path,
    resize: (to) => asRoot("mount", "-o", `remount,size=${to}m`, path),
    [Symbol.asyncDispose]: async () => asRoot("umount", "--lazy", path),
  };
};
