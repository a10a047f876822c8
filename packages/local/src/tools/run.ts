import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ToolFailedError } from "@openemr-ops/core/errors";
import { visible } from "@openemr-ops/core/visible";

/** What every step of an installation is given. */
export interface Installing {
  readonly say: (line: string) => void;
  /** The file that takes what installers print. */
  readonly log: string;
  /** Aborted when someone asks to stop. */
  readonly signal: AbortSignal;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Runs to its end although someone asks to stop: what it changes must not stay half done. */
  readonly whole?: boolean;
}

const shownLines = 15;
const killAfterMilliseconds = 5_000;

const lastLines = (log: string, from: number): readonly string[] =>
  readFileSync(log).subarray(from).toString("utf8").trimEnd().split("\n").slice(-shownLines);

/**
 * Runs an installer to its end, in a process group of its own: a Ctrl-C at the terminal reaches us, and we decide how it
 * ends. What it prints goes to the log.
 *
 * @throws {ToolFailedError} fatal: it failed; its last lines are said, and the message names the log
 * @throws the signal's reason, when someone asked to stop and the installer has ended
 */
export const run = async (
  { say, log, signal }: Installing,
  command: string,
  args: readonly string[],
  { cwd, env = process.env, whole = false }: RunOptions = {},
): Promise<void> => {
  signal.throwIfAborted();
  const doing = [basename(command), ...args].join(" ");
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "a");
  const from = readFileSync(log).length + writeSync(output, `\n$ ${doing}\n`);
  const child = spawn(command, [...args], { stdio: ["ignore", output, output], detached: true, cwd, env });
  const kill = (how: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, how);
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    kill("SIGTERM");
    timer = setTimeout(kill, killAfterMilliseconds, "SIGKILL");
  };
  if (!whole) signal.addEventListener("abort", stop, { once: true });
  try {
    const failure = await new Promise<string | undefined>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, by) => resolve(code === 0 ? undefined : `exit status ${code ?? by}`));
    });
    signal.throwIfAborted();
    if (failure === undefined) return;
    for (const line of lastLines(log, from)) say(`  ${visible(line)}`);
    throw new ToolFailedError(
      `"${doing}" failed (${failure}). Its last lines are above; all that it printed is in ${log}`,
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    closeSync(output);
  }
};
