import { MailLoginRefusedError } from "@openemr-ops/core/errors";
import type { Replacing, SmtpDecision } from "./decideSmtp.ts";
import { loginOf, reactivate } from "./goBack.ts";
import { bringInStep } from "./inStep.ts";
import type { SeenSite } from "./lookAtSmtp.ts";
import type { SmtpRotation, SmtpStep } from "./smtpRotation.ts";
import { printSmtpSecret } from "./smtpSecret.ts";
import { proveLogin, whileSpreading } from "./untilItWorks.ts";
import { writeIntoSites } from "./writeIntoSites.ts";

/** How the time stands in which the key before is kept. */
export interface Settled {
  readonly change: Replacing;
  readonly sites: readonly SeenSite[];
  readonly healed: readonly string[];
  readonly soakEnds: Date;
  readonly steps: readonly SmtpStep[];
}

export const wasPutBack = (site: string): string =>
  `somebody had put a former SMTP login back into site ${site}; the current one is written again`;

/** Writes when the key before is made inactive, then does that: a stop in between only makes the time anew. */
const deactivate = async (r: SmtpRotation, change: Replacing, written: boolean): Promise<Replacing> => {
  const { retiring } = change;
  const stamped = written ? change : { ...change, retiring: { ...retiring, deactivatedAt: r.now().toISOString() } };
  if (!written) await r.secret.makeCurrent(await r.secret.writePending(printSmtpSecret(stamped)));
  await r.accessKeys.setActive(retiring.accessKeyId, false);
  return stamped;
};

/**
 * Looks at a login that is the current one: it works, every site has it, other places are in step, and the key before is inactive.
 * What is not so is made so. Safe to repeat. Where the login does not work, the key before comes back.
 *
 * @param stamped the moment of the deactivation was written down just now
 * @throws {MailLoginRefusedError} fatal: the current login does not work; OpenEMR has the one before, where that works
 */
export const settleSmtp = async (
  r: SmtpRotation,
  decision: Extract<SmtpDecision, { readonly next: "settle" }>,
  stamped = false,
): Promise<Settled> => {
  const { sites, former } = decision;
  let { change } = decision;
  const login = loginOf(change);
  const steps: SmtpStep[] = ["lookAgain"];
  const proveOrReturn = async (): Promise<void> => {
    try {
      await proveLogin(r, login, { ...whileSpreading, times: 1 });
    } catch (error) {
      if (error instanceof MailLoginRefusedError && former) await reactivate(r, change, sites);
      throw error;
    }
  };

  await proveOrReturn();
  const healed = await writeIntoSites(r, sites, [login.user, change.retiring.accessKeyId], login);
  for (const site of healed) r.warn(wasPutBack(site));
  await bringInStep(r, change);
  if (former && (former.active || change.retiring.deactivatedAt === undefined)) {
    r.signal.throwIfAborted();
    if (!stamped && change.retiring.deactivatedAt !== undefined)
      r.warn(
        `the former access key ${change.retiring.accessKeyId} was active: a run was stopped before it made it inactive, or somebody activated it. It is inactive now, and its time begins anew`,
      );
    if (former.active) await r.wait(r.settleSeconds, r.signal);
    change = await deactivate(r, change, stamped);
    steps.unshift("deactivateKey");
    await proveOrReturn();
  }
  const since = change.retiring.deactivatedAt ?? r.now().toISOString();
  const soakEnds = new Date(Date.parse(since) + r.soakMinutes * 60_000);
  return { change, sites, healed, soakEnds, steps };
};
