import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { childEnvironment, onLines } from "./child.ts";

export interface ExitedProgram {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It ran out of time and was ended. */
  readonly late: boolean;
}

/** How long a program gets to end by itself once it is asked to. */
const graceMilliseconds = 5_000;

/** How long lines are still read after the end of a program that left something running in the background. */
const drainMilliseconds = 500;

export interface ExitSettings {
  readonly signal?: AbortSignal;
  readonly limitSeconds: number;
  /** Its standard input; not set, it has none. */
  readonly input?: string;
  /** Variables beside the usual ones. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called for each line of its output and of its errors; not set, both go nowhere. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a program of which only the exit status counts. What it leaves running in the background, as a restart leaves a server,
 * is not waited for. Aborted or late, the program and its group are ended.
 *
 * @throws {ToolMissingError} refused: there is no such program, or it may not be run
 */
export const runToExit = async (
  command: string,
  args: readonly string[],
  { signal, limitSeconds, input, environment, onLine }: ExitSettings,
): Promise<ExitedProgram> => {
  signal?.throwIfAborted();
  const output = onLine ? "pipe" : "ignore";
  const child = spawn(command, [...args], {
    stdio: [input === undefined ? "ignore" : "pipe", output, output],
    env: childEnvironment(environment),
    detached: true,
  });
  const closed = Promise.withResolvers<void>();
  child.once("close", () => closed.resolve());
  const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
  if (onLine) for (const stream of outputs) onLines(stream, onLine);
  child.stdin?.on("error", () => {}); // it need not read its input
  child.stdin?.end(input);
  const exited = Promise.withResolvers<Omit<ExitedProgram, "late">>();
  child.once("exit", (code, endedBy) => exited.resolve({ code, signal: endedBy }));
  child.once("error", (error) => {
    const code = systemCodeOf(error);
    const missing = code === "ENOENT" || code === "EACCES";
    exited.reject(
      missing
        ? new ToolMissingError(`${command} is not installed, not on the PATH, or may not be run`, { cause: error })
        : error,
    );
  });
  const end = (how: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, how);
    } catch {
      // it has ended meanwhile
    }
  };
  let late = false;
  let grace: NodeJS.Timeout | undefined;
  const stop = () => {
    end("SIGTERM");
    grace ??= setTimeout(() => end("SIGKILL"), graceMilliseconds);
  };
  const limit = setTimeout(() => {
    late = true;
    stop();
  }, limitSeconds * 1000);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const end = await exited.promise;
    if (onLine) await Promise.race([closed.promise, pause(drainMilliseconds, undefined, { ref: false })]);
    return { ...end, late };
  } finally {
    clearTimeout(limit);
    clearTimeout(grace);
    signal?.removeEventListener("abort", stop);
    child.stdin?.destroy();
    for (const stream of outputs) stream.destroy();
  }
};
