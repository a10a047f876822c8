import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { join } from "node:path";

/** Linux's file system in memory. */
const usual = "/dev/shm";
/**
 * Short, for a socket's path may hold 107 bytes. A number of a process means something in its own namespace alone, and containers
 * may share the directory.
 */
const prefix = () => `ops-${/\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0]}-`;
const gibibyte = 1024 ** 3;

/**
 * Whether two workers and their servers have room enough in memory, and may start programs there.
 *
 * @param mounts as in `/proc/mounts`
 * @param disk free bytes of the file system
 * @param memory bytes that programs can still have
 */
export const memoryIn = (found: {
  readonly mounts: string;
  readonly disk: number;
  readonly memory: number;
}): boolean => {
  const mounted = found.mounts
    .split("\n")
    .map((line) => line.split(" "))
    .findLast(([, at]) => at === usual);
  const [, , type, options = ""] = mounted ?? [];
  if (type !== "tmpfs" || options.split(",").includes("noexec")) return false;
  return found.disk >= 6 * gibibyte && found.memory >= 10 * gibibyte;
};

/** Makes a directory for this process. It goes with it, and those of processes that were killed go now. */
export const makeDirectory = (place: string): string => {
  for (const name of readdirSync(place)) {
    const [, pid] = new RegExp(`^${prefix()}(\\d+)-`).exec(name) ?? [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    const left = join(place, name);
    if (lstatSync(left).uid === process.getuid?.()) rmSync(left, { recursive: true, force: true });
  }
  const path = mkdtempSync(join(place, `${prefix()}${process.pid}-`));
  chmodSync(path, 0o1777); // as /tmp: tests start programs of other users
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
};

/**
 * Makes a directory in memory for a run's temporary files. Each statement that a database server commits and each object that
 * is stored is written out to the disk, which tests wait for and learn nothing from.
 *
 * @returns `undefined` where this machine has no room for it: then everything works as it does on a disk
 */
export const directoryInMemory = (): string | undefined => {
  try {
    const read = (path: string) => readFileSync(path, "utf8");
    const memory = 1024 * Number(/^MemAvailable:\s+(\d+) kB$/m.exec(read("/proc/meminfo"))?.[1] ?? 0);
    const { bavail, bsize } = statfsSync(usual);
    return memoryIn({ mounts: read("/proc/mounts"), disk: bavail * bsize, memory }) ? makeDirectory(usual) : undefined;
  } catch {
    return undefined; // not Linux, or not ours to write
  }
};
