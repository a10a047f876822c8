import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { configurationFor, type DumpContextOptions } from "./dumpContext.ts";

/** How the program ended. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `--json` printed; `undefined` when it printed nothing. */
  readonly json: unknown;
}

export interface RunningProgram {
  readonly process: ChildProcess;
  readonly ended: Promise<ProgramEnd>;
}

/** The command line program on a configuration of its own, as an operator would start it. */
export interface RealCommandLine {
  /** Starts `openemr-ops <args> --config … --json --yes`. */
  start(args: readonly string[], options?: StartOptions): RunningProgram;
  run(args: readonly string[], options?: StartOptions): Promise<ProgramEnd>;
}

interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** A module to load before the program. */
  readonly preload?: string;
  /** Who runs it, of that number as user and group; without it, whoever runs the tests. Needs root. */
  readonly user?: number;
}

const main = join(repositoryRoot, "packages/cli/src/main.ts");

/**
 * A command as another user, who may not reach this checkout: it is mounted where everybody does, for the program
 * alone.
 */
export const asUser = (
  user: number,
  command: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
) => {
  const place = mkdtempSync(join(tmpdir(), "openemr-ops-program-"));
  chmodSync(place, 0o755);
  const there = (text = "") => text.replaceAll(repositoryRoot, place);
  const script = `mount --bind '${repositoryRoot}' '${place}' && exec setpriv --reuid=${user} --regid=${user} --clear-groups "$@"`;
  return {
    command: ["unshare", "--mount", "sh", "-c", script, "sh", ...command.map(there)],
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, there(value)])),
    done: () => rmdirSync(place),
  };
};

const startProgram = ({
  command: [program = "", ...rest],
  environment,
  done = () => undefined,
}: {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly done?: () => void;
}): RunningProgram => {
  const child = spawn(program, rest, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  child.once("exit", done);
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  }
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.once("error", reject);
    const end = (exitCode: number | null, signal: NodeJS.Signals | null) =>
      resolve({ exitCode, signal, ...text, json: jsonOf(text.stdout) });
    // After its own end all that it said is read; programs that outlive a killed one may keep its pipes open.
    child.once("close", end);
    child.once("exit", (exitCode, signal) => signal !== null && setImmediate(() => end(exitCode, signal)));
  });
  return { process: child, ended };
};

/**
 * Starts `openemr-ops <args>` as it is typed.
 *
 * @param under a program with its arguments that runs it, such as one that changes mounts
 */
export const realProgram = (args: readonly string[], under: readonly string[] = []): RunningProgram =>
  startReal(args, {}, under);

/** The same with these variables. */
export const startReal = (
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  under: readonly string[] = [],
): RunningProgram =>
  startProgram({
    command: [...under, process.execPath, main, ...args],
    environment: { PATH: process.env.PATH, ...environment },
  });

/** Writes the configuration below `directory` and gives what starts the program on it. */
export const realCommandLine = async (options: DumpContextOptions): Promise<RealCommandLine> => {
  const { config, environment } = configurationFor(options);
  const file = join(options.directory, "c.json");
  await mkdir(join(options.directory, "drills"), { recursive: true });
  await writeFile(file, JSON.stringify(config));

  const start: RealCommandLine["start"] = (args, { environment: more = {}, preload, user } = {}) => {
    const before = preload === undefined ? [] : ["--import", preload];
    const own = {
      command: [process.execPath, ...before, main, ...args, "--config", file, "--json", "--yes"],
      environment: { PATH: process.env.PATH, TMPDIR: tmpdir(), ...environment, ...more },
      done: () => undefined,
    };
    const started = user === undefined ? own : asUser(user, own.command, own.environment);
    return startProgram(started);
  };
  return { start, run: (args, more) => start(args, more).ended };
};

/** Runs the program to its end with these arguments and variables alone. */
export const runReal = async (
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Pick<ProgramEnd, "exitCode" | "stdout" | "stderr" | "json">> => {
  const env = { PATH: process.env.PATH, ...environment };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr, json: args.includes("--json") ? jsonOf(stdout) : undefined };
};

const jsonOf = (text: string): unknown => (text.trim() === "" ? undefined : JSON.parse(text));
