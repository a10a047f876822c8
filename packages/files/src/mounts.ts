import { readFile } from "node:fs/promises";

export interface MountPoint {
  /** One character a byte (Latin-1). */
  readonly path: string;
  /** Of the file system, such as `ext4` or `nfs4`. */
  readonly type: string;
}

const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Where something is mounted for this process, also of the same file system, as volumes of containers are. Source: proc(5), mountinfo. */
export const mountPoints = async (): Promise<readonly MountPoint[]> => {
  const text = await readFile("/proc/self/mountinfo", "latin1");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      return { path: unescaped(before.split(" ")[4] ?? ""), type: after.split(" ")[0] ?? "" };
    });
};
