import { MailQueueFailingError, RotationRefusedError } from "@openemr-ops/core/errors";
import type { ReadyDecision } from "./decideSmtp.ts";
import { prepareSmtp } from "./prepareSmtp.ts";
import { type Settled, settleSmtp } from "./settleSmtp.ts";
import type { RotatedSmtp, SmtpRotation } from "./smtpRotation.ts";
import { printSmtpSecret } from "./smtpSecret.ts";
import { healAndProve, soaking, switchAsDecided } from "./switchSmtp.ts";

/** @throws {MailQueueFailingError} fatal: a site's queue has more failures, since the key before was made inactive, than before */
const assertQueues = async (r: SmtpRotation, { change, sites }: Settled): Promise<void> => {
  const since = new Date(change.retiring.deactivatedAt ?? r.now());
  const failing: string[] = [];
  for (const { settings } of sites) {
    const { failed, sent, waiting } = await settings.queueSince(since);
    const before = change.retiring.failing?.[settings.site] ?? 0;
    const known = before > 0 ? `, of which ${before} failed before the switch already` : "";
    if (failed > before) failing.push(`${failed} of site ${settings.site}${known}`);
    else if (failed > 0)
      r.warn(
        `${failed} messages in the mail queue of site ${settings.site} fail, as some failed before the switch already; look at error_message of those rows`,
      );
    else if (waiting > 0 && sent === 0)
      r.warn(
        `site ${settings.site} sent nothing of its mail queue since ${since.toISOString()}, and ${waiting} messages wait: the queue runs only while somebody is logged in, or by cron`,
      );
  }
  if (failing.length > 0)
    throw new MailQueueFailingError(
      `messages in OpenEMR's email_queue failed since ${since.toISOString()}: ${failing.join(", ")}; the access key ${change.retiring.accessKeyId} is kept, inactive. Look at error_message of those rows, send or remove them, then start the rotation again`,
    );
};

/** As `retireSmtp`, from a decision. */
export const retireAsDecided = async (r: SmtpRotation, decision: ReadyDecision): Promise<RotatedSmtp> => {
  if (decision.next === "continue")
    throw new RotationRefusedError(
      `the switch to the access key ${decision.change.accessKeyId} has not ended, and there is no key to delete; start the rotation without a phase`,
    );
  if (decision.next === "rotate")
    return {
      accessKeyId: decision.inUse.user,
      writtenTo: decision.sites.map(({ settings }) => settings.site),
      healed: await healAndProve(r, decision),
      state: "done",
      steps: ["lookAgain"],
    };
  if (decision.next !== "settle") return switchAsDecided(r, decision);

  const settled = await settleSmtp(r, decision);
  const former = decision.former !== undefined;
  if (former && r.now() < settled.soakEnds) return soaking(settled);
  if (former) {
    await assertQueues(r, settled);
    r.signal.throwIfAborted();
    await r.accessKeys.remove(settled.change.retiring.accessKeyId);
  }
  const { retiring, retired = [], ...alone } = settled.change;
  await r.secret.makeCurrent(
    await r.secret.writePending(printSmtpSecret({ ...alone, retired: [retiring.accessKeyId, ...retired] })),
  );
  const { soakEnds: _ends, ...result } = soaking(settled);
  return { ...result, state: "done", steps: [...settled.steps, ...(former ? (["deleteKey"] as const) : [])] };
};

/**
 * Ends a rotation, once its time of soaking is over: the new login still works and every site has it, OpenEMR's mail queue has no
 * failure since, then the key before is deleted. Before that time it only looks. Safe to repeat.
 *
 * @returns `soaking` or `done`; sites to which somebody had put the former login back are in `healed`
 * @throws {MailQueueFailingError} fatal: messages failed; the key before is kept, inactive
 * @throws {MailLoginRefusedError} fatal: the new login does not work; OpenEMR has the one before
 * @throws {RotationRefusedError} refused: the switch has not ended
 */
export const retireSmtp = async (r: SmtpRotation): Promise<RotatedSmtp> => retireAsDecided(r, await prepareSmtp(r));
