import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";
import { findSystemTool } from "../tools/findTool.ts";

/** How a command ended and what it said. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Podman with settings that hold on small machines and inside sandboxes too. Its images are the system's. */
export interface Podman extends Disposable {
  /** Runs one command to its end, whatever that is. */
  attempt(args: readonly string[]): Promise<Ended>;
  /** @returns what it printed, without the last line's end @throws {ToolFailedError} fatal: it ended with another status than 0 */
  run(args: readonly string[]): Promise<string>;
  /** As `run`, but prints to our standard error while it works. */
  show(args: readonly string[]): Promise<void>;
}

/** Without cgroups of systemd, without its journal, and with limits that a sandbox lets a process set. */
const settings = `[containers]
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

/** @throws {ToolMissingError} refused: no podman, or not root: only root may set the owners that a restore sets */
export const openPodman = (): Podman => {
  const podman = findSystemTool("podman");
  if (podman === undefined) throw new ToolMissingError('podman is not installed; run "npm run tools -- --for image"');
  if (process.getuid?.() !== 0) throw new ToolMissingError("building and trying the image takes root rights: use sudo");
  const directory = mkdtempSync(join(tmpdir(), "podman-"));
  const settingsFile = join(directory, "containers.conf");
  writeFileSync(settingsFile, settings);
  const env = { ...process.env, CONTAINERS_CONF: settingsFile };

  const attempt = (args: readonly string[], shown = false): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const child = spawn(podman, args, {
        env,
        stdio: ["ignore", shown ? process.stderr : "pipe", shown ? process.stderr : "pipe"],
      });
      const output = Promise.all([child.stdout ? text(child.stdout) : "", child.stderr ? text(child.stderr) : ""]);
      child.once("error", reject);
      child.once("close", (code) =>
        output.then(([stdout, stderr]) => resolve({ code: code ?? -1, stdout, stderr }), reject),
      );
    });
  const must = async (args: readonly string[], shown = false): Promise<string> => {
    const { code, stdout, stderr } = await attempt(args, shown);
    if (code === 0) return stdout.trimEnd();
    throw new ToolFailedError(
      `"podman ${args.join(" ")}" failed with exit status ${code}: ${shown ? "see above" : stderr.trimEnd()}`,
    );
  };
  return {
    attempt: (args) => attempt(args),
    run: (args) => must(args),
    show: async (args) => {
      await must(args, true);
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
};
