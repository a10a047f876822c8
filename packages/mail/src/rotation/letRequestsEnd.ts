import type { SmtpRotation } from "./smtpRotation.ts";

/** From the start of a request to its login at the SMTP server; longer ones are those of the mail queue, which is looked at. */
const requestSeconds = 10;

/** OpenEMR reads its settings when a request begins: one that began before a change still logs in as before. */
export const letRequestsEnd = ({ wait, signal }: Pick<SmtpRotation, "wait" | "signal">): Promise<void> =>
  wait(requestSeconds, signal);
