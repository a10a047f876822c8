import { MailLoginRefusedError, MailServerUnavailableError } from "@openemr-ops/core/errors";
import type { SmtpLogin } from "../settings/mailSettings.ts";
import type { SmtpRotation } from "./smtpRotation.ts";

/** How often, and for how long. */
export interface Patience {
  /** Successes in a row, each on a fresh connection: a key spreads machine by machine. */
  readonly times: number;
  /** How long it may fail. A new key is refused until it has spread. */
  readonly seconds: number;
}

/** For a login that was just made or activated again. */
export const whileSpreading: Patience = { times: 5, seconds: 300 };
/** For a login that works already. */
export const shortly: Patience = { times: 1, seconds: 10 };

const secondsBetween = 1;
const longestPause = 15;

/**
 * Repeats what the SMTP server may refuse for a while, less and less often.
 *
 * @throws what the last attempt threw, once its time is over; another error at once
 */
export const untilItWorks = async <Result>(
  r: Pick<SmtpRotation, "wait" | "now" | "signal" | "progress">,
  { times, seconds }: Patience,
  work: () => Promise<Result>,
): Promise<Result> => {
  const deadline = r.now().getTime() + seconds * 1000;
  let pause = 1;
  for (let inARow = 0; ; ) {
    r.signal.throwIfAborted();
    try {
      const result = await work();
      if (++inARow >= times) return result;
      await r.wait(secondsBetween, r.signal);
    } catch (error) {
      if (!(error instanceof MailLoginRefusedError || error instanceof MailServerUnavailableError)) throw error;
      const left = (deadline - r.now().getTime()) / 1000;
      if (left <= 0) throw error;
      inARow = 0;
      r.progress({ step: "login", detail: "not yet" });
      await r.wait(Math.min(pause, left), r.signal);
      pause = Math.min(pause * 2, longestPause);
    }
  }
};

/** Proves a login on fresh connections. @throws {MailLoginRefusedError | MailServerUnavailableError} */
export const proveLogin = (r: SmtpRotation, login: SmtpLogin, patience: Patience): Promise<void> =>
  untilItWorks(r, patience, () => r.server.logIn(login, r.signal));
