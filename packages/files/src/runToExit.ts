import { spawn } from "node:child_process";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { childEnvironment } from "./child.ts";

export interface ExitedProgram {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It ran out of time and was ended. */
  readonly late: boolean;
}

/** How long a program gets to end by itself once it is asked to. */
const graceMilliseconds = 5_000;

/**
 * Runs a program of which only the exit status counts. Its output goes nowhere, and what it leaves running in the background, as
 * a restart leaves a server, is not waited for. Aborted or late, the program and its group are ended.
 *
 * @throws {ToolMissingError} refused: there is no such program, or it may not be run
 */
export const runToExit = async (
  command: string,
  args: readonly string[],
  { signal, limitSeconds }: { readonly signal: AbortSignal; readonly limitSeconds: number },
): Promise<ExitedProgram> => {
  signal.throwIfAborted();
  const child = spawn(command, [...args], { stdio: "ignore", env: childEnvironment(), detached: true });
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
  signal.addEventListener("abort", stop, { once: true });
  try {
    return { ...(await exited.promise), late };
  } finally {
    clearTimeout(limit);
    clearTimeout(grace);
    signal.removeEventListener("abort", stop);
  }
};
