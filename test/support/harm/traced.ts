import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";

/** What one run of the program, and every program that it started, did to file systems. */
export interface Trace {
  readonly exitCode: number | null;
  readonly stderr: string;
  /** Absolute paths that were made, opened for writing, renamed, removed, or given an owner, a mode or a time. */
  readonly changed: readonly string[];
  /** Absolute paths of the programs that were started. */
  readonly started: readonly string[];
}

const changes = [
  ...["creat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2"],
  ...["link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "truncate"],
  ...["chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"],
  ...["utime", "utimes", "utimensat", "setxattr", "lsetxattr", "removexattr", "lremovexattr"],
];

const call = /^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?/;
const text = /"((?:[^"\\]|\\.)*)"/g;

const unquoted = (quoted: string): string =>
  Buffer.from(
    quoted.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex?: string, letter?: string) =>
      hex === undefined ? (letter ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    "latin1",
  ).toString("utf8");

/** Reads strace's lines: `-y` shows behind each descriptor which path it stands for. */
const read = (lines: readonly string[]): Pick<Trace, "changed" | "started"> => {
  const changed = new Set<string>();
  const started = new Set<string>();
  const descriptors = new Map<string, string>(); // of the traced program itself: what /proc/<pid>/fd/<n> means
  let workingDirectory = ""; // of the program started last: what /proc/self/cwd means there
  const resolve = (path: string, directory: string): string =>
    (path.startsWith("/") ? path : join(directory, path))
      .replace(/^\/proc\/self\/cwd(?=\/|$)/, workingDirectory)
      .replace(/^\/proc\/(?:\d+|self)\/fd\/(\d+)/, (found, number: string) => descriptors.get(number) ?? found);
  for (const line of lines) {
    const [, name = "", args = "", result = "", opened] = call.exec(line) ?? [];
    if (name === "" || result.startsWith("-")) continue;
    if (opened !== undefined && /^open/.test(name)) descriptors.set(result, unquoted(opened));
    const at = [...args.matchAll(/(?:AT_FDCWD|\b\d+)<((?:[^>\\]|\\.)*)>/g)].map(([, path = ""]) => unquoted(path));
    const paths = [...args.matchAll(text)].map(([, path = ""]) => unquoted(path));
    if (name === "chdir") {
      workingDirectory = resolve(paths[0] ?? "", workingDirectory);
      continue;
    }
    if (name === "execve") {
      started.add(paths[0] ?? "");
      continue;
    }
    if (/^open/.test(name)) {
      if (/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(args)) changed.add(unquoted(opened ?? "") || (paths[0] ?? ""));
      continue;
    }
    if (!changes.includes(name)) continue;
    // What a link says is no path that was changed.
    const named = name.startsWith("symlink") ? paths.slice(1) : paths;
    if (named.length === 0) for (const path of at) changed.add(path);
    named.forEach((path, index) => {
      changed.add(resolve(path, at[Math.min(index, at.length - 1)] ?? workingDirectory));
    });
  }
  return { changed: [...changed].sort(), started: [...started].sort() };
};

/**
 * Runs the command line under strace, as root of this machine would.
 *
 * @param run.configuration the configuration's file name
 * @param run.trace where strace writes
 */
export const traced = async (
  args: readonly string[],
  run: {
    readonly configuration: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly trace: string;
  },
): Promise<Trace> => {
  const { configuration, environment, trace } = run;
  const main = join(repositoryRoot, "packages/cli/src/main.ts");
  const child = spawn(
    "strace",
    [
      ...["-f", "-y", "-s", "4096", "-qq", "-o", trace],
      ...[
        "-e",
        `trace=execve,chdir,open,openat,openat2,${changes.map((name) => `?${name}`).join(",")}`,
        "-e",
        "signal=none",
      ],
      ...[process.execPath, main, ...args, "--config", configuration, "--json", "--yes"],
    ],
    { env: { PATH: process.env.PATH, ...environment }, stdio: ["ignore", "ignore", "pipe"] },
  );
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const lines = (await readFile(trace, "latin1")).split("\n");
  return { exitCode, stderr, ...read(joined(lines)) };
};

/** A call that another thread interrupted is printed in two parts. */
const joined = (lines: readonly string[]): readonly string[] => {
  const waiting = new Map<string, string>();
  const whole: string[] = [];
  for (const line of lines) {
    const [, pid = "", head] = /^(\d+) +(.*) <unfinished \.\.\.>$/.exec(line) ?? [];
    if (head !== undefined) {
      waiting.set(pid, head);
      continue;
    }
    const [, who = "", tail] = /^(\d+) +<\.\.\. \w+ resumed>(.*)$/.exec(line) ?? [];
    if (tail === undefined) whole.push(line);
    else whole.push(`${who} ${waiting.get(who) ?? ""}${tail}`);
  }
  return whole;
};
