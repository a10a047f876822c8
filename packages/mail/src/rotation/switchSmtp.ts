import { CredentialDriftError, MailLoginRefusedError } from "@openemr-ops/core/errors";
import type { ReadyDecision, Replacing, SmtpDecision } from "./decideSmtp.ts";
import { goBack, loginOf, reactivate } from "./goBack.ts";
import type { SeenSite } from "./lookAtSmtp.ts";
import { makeKey } from "./makeKey.ts";
import { prepareSmtp } from "./prepareSmtp.ts";
import { type Settled, settleSmtp, wasPutBack } from "./settleSmtp.ts";
import type { RotatedSmtp, SmtpRotation, SmtpStep } from "./smtpRotation.ts";
import { printSmtpSecret } from "./smtpSecret.ts";
import { proveLogin, shortly, untilItWorks, whileSpreading } from "./untilItWorks.ts";
import { writeIntoSites } from "./writeIntoSites.ts";

/** Nothing in OpenEMR sends with a key of this user. */
export const nothingToRotate: RotatedSmtp = { accessKeyId: "", writtenTo: [], healed: [], state: "done", steps: [] };

/** What a time of soaking looks like in a result. */
export const soaking = ({ change, sites, healed, soakEnds, steps }: Settled): RotatedSmtp => ({
  accessKeyId: change.accessKeyId,
  previous: change.retiring.accessKeyId,
  writtenTo: sites.map(({ settings }) => settings.site),
  healed,
  state: "soaking",
  soakEnds: soakEnds.toISOString(),
  steps,
});

type Idle = Extract<SmtpDecision, { readonly next: "rotate" }>;

/**
 * Tries each login that sites have: only one that works is worth to be replaced.
 *
 * @throws {CredentialDriftError} fatal: names the site whose login does not work
 */
export const proveSites = async (r: SmtpRotation, { sites, stale, inUse }: Idle): Promise<void> => {
  const logins = new Map([[inUse.password, r.secret.field]]);
  for (const site of sites) if (!stale.includes(site)) logins.set(site.mail.password, `site ${site.settings.site}`);
  for (const [password, where] of logins)
    try {
      await proveLogin(r, { user: inUse.user, password }, shortly);
    } catch (error) {
      if (!(error instanceof MailLoginRefusedError)) throw error;
      throw new CredentialDriftError(
        `the SMTP login of ${where} does not work now: ${error.message}. Correct SMTP_USER and SMTP_PASS of that site first`,
        { cause: error },
      );
    }
};

/** Tries what sites have, and gives those with a login that is long gone the one in use. @returns the sites that were written */
export const healAndProve = async (r: SmtpRotation, decision: Idle): Promise<readonly string[]> => {
  const { stale, inUse } = decision;
  await proveSites(r, decision);
  const healed = await writeIntoSites(r, stale, [inUse.user, ...stale.map(({ mail }) => mail.user)], inUse);
  for (const site of healed) r.warn(wasPutBack(site));
  return healed;
};

/** Messages that OpenEMR tries again and again, such as one to an address that is none, by site. */
const failingNow = async (sites: readonly SeenSite[]): Promise<Pick<Replacing["retiring"], "failing">> => {
  const failing: Record<string, number> = {};
  for (const { settings } of sites) {
    const { failed } = await settings.queueSince(new Date(0));
    if (failed > 0) failing[settings.site] = failed;
  }
  return Object.keys(failing).length > 0 ? { failing } : {};
};

/** Proves a new login, writes it into the sites, sends a message with it, and makes it the current one. */
const takeIntoUse = async (r: SmtpRotation, change: Replacing, sites: readonly SeenSite[]) => {
  const login = loginOf(change);
  r.progress({ step: "login", detail: r.server.name });
  await proveLogin(r, login, whileSpreading);
  const failing = await failingNow(sites);
  await writeIntoSites(r, sites, [login.user, change.retiring.accessKeyId], login);
  r.progress({ step: "message" });
  const testMessageId = await untilItWorks(r, { ...whileSpreading, times: 1 }, () =>
    r.server.send(login, r.testMessage, r.signal),
  );
  r.signal.throwIfAborted();
  const stamped = { ...change, retiring: { ...change.retiring, deactivatedAt: r.now().toISOString(), ...failing } };
  await r.secret.makeCurrent(await r.secret.writePending(printSmtpSecret(stamped)));
  return { stamped, testMessageId };
};

const switchSteps: readonly SmtpStep[] = ["logIn", "writeIntoOpenEmr", "sendTestMessage", "makePasswordCurrent"];

/** As `switchSmtp`, from a decision. */
export const switchAsDecided = async (r: SmtpRotation, decision: ReadyDecision): Promise<RotatedSmtp> => {
  const { sites } = decision;
  if (decision.next === "nothing") return nothingToRotate;
  if (decision.next === "reactivate") {
    await reactivate(r, decision.change, sites);
    throw new MailLoginRefusedError(
      `the access key ${decision.change.accessKeyId}, which OpenEMR had, is deleted or inactive; OpenEMR has the login of ${decision.change.retiring.accessKeyId} again. Find out who removed the key, then start the rotation again`,
    );
  }
  if (decision.next === "settle") return soaking(await settleSmtp(r, decision));
  const healed = decision.next === "rotate" ? await healAndProve(r, decision) : [];

  let change: Replacing;
  let testMessageId: string;
  try {
    const next = decision.next === "rotate" ? await makeKey(r, decision.inUse) : decision.change;
    ({ stamped: change, testMessageId } = await takeIntoUse(r, next, sites));
  } catch (error) {
    await goBack(r);
    throw error;
  }
  const former = (await r.accessKeys.list()).find(({ id }) => id === change.retiring.accessKeyId);
  const settled = await settleSmtp(
    r,
    { next: "settle", change, sites, warnings: [], ...(former ? { former } : {}) },
    true,
  );
  const made: readonly SmtpStep[] = decision.next === "rotate" ? ["createKey", "storePassword"] : [];
  return {
    ...soaking({ ...settled, steps: [...made, ...switchSteps, "deactivateKey"] }),
    healed: [...healed, ...settled.healed],
    testMessageId,
  };
};

/**
 * Gives every site a new login, of a new access key: made, proven, written, tried with a message, made the current one. The key
 * before is then inactive and stays. At each moment the login in every site's settings works. Started again after a stop, it
 * continues; where the rotation before has not ended, it looks at that one and begins no other.
 *
 * @returns `soaking`, or `done` where no site sends with a key of this user
 * @throws {RotationRefusedError} refused: a key that nobody wrote down, a site in another region; nothing was changed
 * @throws {CredentialDriftError} fatal: a login that is stored does not work, or not everywhere the same; nothing was changed
 * @throws {KeyPairError} fatal: a site's settings do not open; nothing was changed
 * @throws {MailLoginRefusedError | MailServerUnavailableError | MailRejectedError} the new login does not work; sites have the one before
 */
export const switchSmtp = async (r: SmtpRotation): Promise<RotatedSmtp> => switchAsDecided(r, await prepareSmtp(r));
