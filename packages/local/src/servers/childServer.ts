import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ToolFailedError } from "@openemr-ops/core/errors";

/** A server program that we started and that dies with us. */
export interface ChildServer {
  readonly pid: number;
  /** Resolves with the exit status, or the signal's name, once the process is gone. */
  readonly exited: Promise<number | string>;
  /** Asks it to end (SIGTERM), insists after 30 s (SIGKILL). Safe to repeat. */
  stop(): Promise<void>;
  /** Ends it as a power cut would (SIGKILL). Safe to repeat. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a program that keeps running and waits until `ready` says so.
 *
 * @param ready asked every 30 ms; throwing counts as "not yet"
 * @param logFile gets what the program prints; its end is quoted when the start fails
 * @throws {ToolFailedError} fatal: it ended, or was not ready in time (60 s)
 */
export const startChildServer = async ({
  command,
  args,
  env,
  logFile,
  ready,
}: {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly ready: () => Promise<unknown>;
}): Promise<ChildServer> => {
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(command, args, { env, stdio: ["ignore", log, log] });
  closeSync(log);
  running.add(child);
  let gone = false;
  const exited = new Promise<number | string>((resolve) => {
    const end = (how: number | string) => {
      gone = true;
      running.delete(child);
      resolve(how);
    };
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => end(code ?? signal ?? "unknown"));
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };

  const failed = (why: string): ToolFailedError => {
    const tail = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-15).join("\n");
    return new ToolFailedError(`${command} ${why}; the end of ${logFile}:\n${tail}`);
  };
  const deadline = performance.now() + 60_000;
  for (;;) {
    if (gone) throw failed(`ended during its start (${await exited})`);
    try {
      await ready();
      break;
    } catch (error) {
      if (performance.now() > deadline) {
        await kill();
        throw failed(`was not ready after 60 s (${error instanceof Error ? error.message : String(error)})`);
      }
      await sleep(30);
    }
  }

  return {
    pid: child.pid ?? 0,
    exited,
    kill,
    stop: async () => {
      child.kill("SIGTERM");
      const insist = setTimeout(() => child.kill("SIGKILL"), 30_000);
      await exited;
      clearTimeout(insist);
    },
  };
};
