import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createTransport } from "nodemailer";
import { phpReadsMail } from "./phpMail.ts";

/** What the sender's one argument contains, as JSON. */
export interface MailSenderPlan {
  readonly sitesPath: string;
  readonly port: number;
  readonly caFile: string;
  readonly pauseMs: number;
}

/** One line of its output. */
export interface MailAttempt {
  readonly subject: string;
  readonly user: string;
  /** Absent where the server took the message. */
  readonly error?: string;
}

/** Sends as OpenEMR does: each message with the login that the database has when it begins, and once only. */
const sendAll = async ({ sitesPath, port, caFile, pauseMs }: MailSenderPlan): Promise<void> => {
  let ending = false;
  process.once("SIGTERM", () => {
    ending = true;
  });
  const ca = readFileSync(caFile);
  for (let count = 1; !ending; count++) {
    const { user, password } = phpReadsMail({ sitesPath });
    const subject = `message ${process.pid}-${count}`;
    const server = createTransport({
      host: "127.0.0.1",
      port,
      requireTLS: true,
      auth: { user, pass: password ?? "" },
      tls: { ca },
    });
    let attempt: MailAttempt = { subject, user };
    try {
      await server.sendMail({ from: "clinic@example.org", to: "patient@example.org", subject, text: "canary" });
    } catch (error) {
      attempt = { ...attempt, error: error instanceof Error ? error.message : "unknown" };
    }
    process.stdout.write(`${JSON.stringify(attempt)}\n`);
    await sleep(pauseMs);
  }
};

await sendAll(JSON.parse(process.argv[2] ?? "") as MailSenderPlan);
