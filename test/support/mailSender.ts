import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { MailAttempt, MailSenderPlan } from "./mailSenderInChild.ts";

/** A program of its own that sends message after message with the login that OpenEMR's database has. */
export interface MailSender extends AsyncDisposable {
  readonly attempts: readonly MailAttempt[];
  readonly failed: () => readonly MailAttempt[];
  /** Waits for that many more messages. */
  sent(count: number): Promise<void>;
  /** Ends it after the message that it is sending. */
  stop(): Promise<void>;
}

export const startMailSender = (plan: MailSenderPlan): MailSender => {
  const program = fileURLToPath(new URL("mailSenderInChild.ts", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const attempts: MailAttempt[] = [];
  const lines = createInterface(child.stdout);
  lines.on("line", (line) => attempts.push(JSON.parse(line)));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  return {
    attempts,
    failed: () => attempts.filter(({ error }) => error !== undefined),
    sent: async (count) => {
      const wanted = attempts.length + count;
      while (attempts.length < wanted && child.exitCode === null) await once(lines, "line");
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
};
