import { toOpsError } from "@openemr-ops/core/errors";
import { decideNow } from "./decideNow.ts";
import type { Replacing } from "./decideSmtp.ts";
import type { SeenSite } from "./lookAtSmtp.ts";
import type { SmtpRotation } from "./smtpRotation.ts";
import { printSmtpSecret } from "./smtpSecret.ts";
import { proveLogin, whileSpreading } from "./untilItWorks.ts";
import { writeIntoSites } from "./writeIntoSites.ts";

export const loginOf = ({ accessKeyId, password }: { accessKeyId: string; password: string }) => ({
  user: accessKeyId,
  password,
});

/** Sites that have the new login get the one before, then the new key is deleted. Safe to repeat. */
export const undo = async (r: SmtpRotation, { accessKeyId, retiring }: Replacing, sites: readonly SeenSite[]) => {
  const written = await writeIntoSites(r, sites, [accessKeyId], loginOf(retiring));
  if (written.length > 0) await r.wait(r.settleSeconds, r.signal);
  await r.accessKeys.remove(accessKeyId);
};

/**
 * Undoes what a failed rotation did before its new login became the current one, by what is there and not by what the run
 * remembers. The failure that led here keeps its name; one of the way back is a warning.
 */
export const goBack = async (rotation: SmtpRotation): Promise<void> => {
  const r = { ...rotation, signal: new AbortController().signal };
  try {
    const decision = await decideNow(r);
    if (decision.next === "clean") for (const id of decision.orphans) await r.accessKeys.remove(id);
    if (decision.next !== "continue" && decision.next !== "goBack") return;
    const { change, sites } = decision;
    const before = (await r.accessKeys.list()).find(({ id }) => id === change.retiring.accessKeyId);
    if (before?.active) await undo(r, change, sites);
    else r.warn(`the access key ${change.retiring.accessKeyId} is not active any more, so that the new login stays`);
  } catch (error) {
    const { name, message } = toOpsError(error);
    r.warn(`the roll-back failed (${name}: ${message}); the login in OpenEMR still works. Start the rotation again`);
  }
};

/**
 * Brings the key before back, where the new login does not work any more: active again, proven, written into the sites, and the
 * current one in the secret. The new key is deleted. Safe to repeat.
 *
 * @throws {MailLoginRefusedError | MailServerUnavailableError} the login before does not work either; both keys stay
 */
export const reactivate = async (r: SmtpRotation, change: Replacing, sites: readonly SeenSite[]): Promise<void> => {
  const { retiring, accessKeyId } = change;
  const { deactivatedAt: _, ...before } = retiring;
  await r.accessKeys.setActive(before.accessKeyId, true);
  await proveLogin(r, loginOf(before), whileSpreading);
  await undo(r, change, sites);
  const retired = [accessKeyId, ...(change.retired ?? [])];
  const { retiring: _retiring, passwords: _passwords, creating: _creating, createdAt: _at, ...rest } = change;
  await r.secret.makeCurrent(await r.secret.writePending(printSmtpSecret({ ...rest, ...before, retired })));
  if (r.inStep.userParameter) await r.inStep.userParameter.write(before.accessKeyId);
  r.warn(
    `the login of ${accessKeyId} stopped working; ${before.accessKeyId} is active again, and OpenEMR has its login${r.inStep.secretAccessKey ? `. ${r.inStep.secretAccessKey.field} is not in step until the next rotation` : ""}`,
  );
};
