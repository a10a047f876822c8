import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Which process this is, precisely enough that another one can tell whether it still lives. */
export interface ProcessIdentity {
  /** Machine, its boot and its process namespace: numbers of processes mean something only where all three are equal. */
  readonly host: string;
  readonly pid: number;
  /** When the process began, in the kernel's ticks; tells a reused number from the process that had it. */
  readonly startedAt: string;
}

const orEmpty = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return ""; // not Linux: the host's name has to do
  }
};

/** Field 22 of `/proc/<pid>/stat`; the second field is a name in parentheses that may hold anything. */
const startOf = (pid: number): string =>
  orEmpty(() => readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\)/s, "").trim().split(" ")[19] ?? "");

export const thisProcess = (): ProcessIdentity => ({
  host: [
    hostname(),
    orEmpty(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")),
    orEmpty(() => readlinkSync("/proc/self/ns/pid")),
  ].join(" "),
  pid: process.pid,
  startedAt: startOf(process.pid),
});

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
};

/** True only when `other` ran on the same machine, boot and namespace as we do, and is gone. */
export const isDead = (other: ProcessIdentity, self: ProcessIdentity = thisProcess()): boolean =>
  other.host === self.host && (!exists(other.pid) || startOf(other.pid) !== other.startedAt);
