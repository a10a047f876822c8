import type { AccessKey } from "@openemr-ops/core/accessKeys";
import { CredentialDriftError, CredentialSecretError, RotationRefusedError } from "@openemr-ops/core/errors";
import type { SmtpLogin } from "../settings/mailSettings.ts";
import { sesRegionOf } from "../smtp/smtpServer.ts";
import { goneKeys } from "./goneKeys.ts";
import type { SeenSite, SeenSmtp } from "./lookAtSmtp.ts";
import type { RetiringKey, SmtpSecret } from "./smtpSecret.ts";

/** A text that names its login. */
export type NamedSecret = SmtpSecret & { readonly accessKeyId: string; readonly password: string };

/** A key that replaces another one: a text that has both. */
export type Replacing = NamedSecret & { readonly retiring: RetiringKey };

/** What comes next, and the sites that take part. */
export type SmtpDecision = {
  readonly sites: readonly SeenSite[];
  readonly warnings: readonly string[];
} & (
  | { readonly next: "nothing" }
  /** Keys that a stopped run made and did not write down are deleted; then look again. */
  | { readonly next: "clean"; readonly orphans: readonly string[] }
  /** The new login cannot be had any more: sites get the one before, the new key is deleted; then look again. */
  | { readonly next: "goBack"; readonly change: Replacing }
  /** Sites to which a page that was opened long ago wrote a deleted key back are `stale`; they get the login in use first. */
  | { readonly next: "rotate"; readonly inUse: SmtpLogin; readonly stale: readonly SeenSite[] }
  /** A new login is written down; it is proven, written into OpenEMR and made the current one. */
  | { readonly next: "continue"; readonly change: Replacing }
  /** The new login is the current one; the key before is about to be deactivated, soaks, or is to be deleted. */
  | { readonly next: "settle"; readonly change: Replacing; readonly former?: AccessKey }
  /** The current login's key is gone or inactive, and the key before is still there. */
  | { readonly next: "reactivate"; readonly change: Replacing }
);

/** A decision that needs no clearing away first. */
export type ReadyDecision = Exclude<SmtpDecision, { readonly next: "clean" | "goBack" }>;

export interface DecisionContext {
  /** For messages: the IAM user and the setting of the secret. */
  readonly user: string;
  readonly secret: string;
  readonly region: string;
}

/** How long after its announcement a key may still have been made by the run that announced it. */
const creatingWindowMs = 10 * 60_000;
/** Clocks differ, and IAM's moments are whole seconds. */
const clockSkewMs = 2 * 60_000;

const isNamed = <Login extends { readonly accessKeyId?: string; readonly password?: string }>(
  secret: Login | undefined,
): secret is Login & { readonly accessKeyId: string; readonly password: string } =>
  secret?.accessKeyId !== undefined && secret.password !== undefined;
const isReplacing = (secret: SmtpSecret | undefined): secret is Replacing =>
  isNamed(secret) && secret.retiring !== undefined;

/**
 * Decides by what is seen alone, so that a run which was stopped anywhere is continued by the next one. What nobody wrote down is
 * refused, never guessed away.
 *
 * @throws {RotationRefusedError} refused: there is a key that nobody wrote down, or a site's server is in another region
 * @throws {CredentialDriftError} fatal: secret, sites and keys do not name the same key
 * @throws {CredentialSecretError} fatal: the pending text replaces another key than the current one
 */
export const decideSmtp = (seen: SeenSmtp, context: DecisionContext): SmtpDecision => {
  const current = seen.texts.current?.secret;
  const pending = seen.texts.pending?.secret;
  if (isReplacing(current)) return settle(seen, context, current);
  if (isReplacing(pending) && !pending.creating && pending.accessKeyId !== current?.accessKeyId)
    return proceed(seen, context, pending, current);
  const creating = pending?.creating ?? current?.creating;
  const orphans = creating ? seen.keys.filter((key) => isOrphan(key, creating, seen)) : [];
  if (orphans.length > 0) return { next: "clean", orphans: orphans.map(({ id }) => id), sites: [], warnings: [] };
  return begin(seen, context, current);
};

const isOrphan = (
  { id, created }: AccessKey,
  { since, known }: NonNullable<SmtpSecret["creating"]>,
  { used, sites }: SeenSmtp,
): boolean => {
  const age = created.getTime() - Date.parse(since);
  return (
    !known.includes(id) &&
    age >= -clockSkewMs &&
    age <= creatingWindowMs &&
    !used.includes(id) &&
    !sites.some(({ mail }) => mail.user === id)
  );
};

/** The sites that send with one of these keys, and a warning for each of the others. */
const takingPart = (seen: SeenSmtp, context: DecisionContext, ids: readonly string[]) => {
  const sites = seen.sites.filter(({ mail }) => mail.method === "SMTP" && ids.includes(mail.user));
  const warnings = seen.sites
    .filter((site) => !sites.includes(site))
    .map(({ settings, mail }) =>
      mail.method === "SMTP"
        ? `site ${settings.site} logs in to its SMTP server with something else than an access key of ${context.user}, and is left alone`
        : `site ${settings.site} does not send by SMTP (its EMAIL_METHOD is another), and is left alone`,
    );
  for (const { settings, mail } of sites) {
    const region = sesRegionOf(mail.host);
    if (region !== undefined && region !== context.region)
      throw new RotationRefusedError(
        `site ${settings.site} sends through SES in ${region}, and a password of ${context.region} would not open that; set the region of the rotation to ${region}, or SMTP_HOST of the site to a server in ${context.region}`,
      );
  }
  return { sites, warnings };
};

const refuseOthers = ({ keys }: SeenSmtp, { user, secret }: DecisionContext, ours: readonly string[]): void => {
  const others = keys.filter(({ id }) => !ours.includes(id));
  if (others.length === 0) return;
  const shown = others.map(({ id, active }) => `${id} (${active ? "active" : "inactive"})`).join(", ");
  throw new RotationRefusedError(
    `${user} has an access key that nobody wrote down: ${shown}, beside ${ours.join(" and ") || "none"}. Find out who uses it and delete it, or, if OpenEMR is to use it, store it in ${secret}`,
  );
};

const assertSameRegion = ({ region }: SmtpSecret, context: DecisionContext): void => {
  if (region !== undefined && region !== context.region)
    throw new RotationRefusedError(
      `a rotation in ${region} is under way, and the configuration names ${context.region}; end it with region ${region} first`,
    );
};

/** A login that a text names and that may still work, for the case that no site has one. */
const writtenDown = ({ texts }: SeenSmtp, ids: readonly string[]) => {
  const { current, pending } = texts;
  return [current?.secret, pending?.secret, pending?.secret.retiring]
    .filter((one) => isNamed(one))
    .find(({ accessKeyId }) => ids.includes(accessKeyId));
};

const begin = (seen: SeenSmtp, context: DecisionContext, current: SmtpSecret | undefined): SmtpDecision => {
  const { user, secret } = context;
  const stored = current?.accessKeyId;
  const ids = seen.keys.map(({ id }) => id);
  const retired = goneKeys(seen.texts, ids);
  const part = takingPart(seen, context, [...ids, ...(stored === undefined ? [] : [stored]), ...retired]);
  if (part.sites.length === 0) return { next: "nothing", ...part };

  const stale = part.sites.filter(({ mail }) => retired.includes(mail.user));
  const users = part.sites.map(({ mail }) => mail.user).filter((id) => !retired.includes(id));
  const named = [...new Set([...users, ...(stored === undefined ? [] : [stored])])];
  const written = writtenDown(seen, ids);
  const [inUse = written?.accessKeyId ?? ""] = named;
  if (named.length > 1)
    throw new CredentialDriftError(
      `OpenEMR and ${secret} name more than one access key of ${user}: ${named.join(", ")}. Find out which one works, and set it in the SMTP settings of every site and in ${secret}`,
    );
  const key = seen.keys.find(({ id }) => id === inUse);
  if (!key?.active)
    throw new CredentialDriftError(
      `the access key ${inUse}, which OpenEMR and ${secret} name, is ${key ? "inactive" : `no key of ${user}`}; activate it, or set the login of another key in OpenEMR and in ${secret}`,
    );
  refuseOthers(seen, context, [inUse]);
  const password = part.sites.find(({ mail }) => mail.user === inUse)?.mail.password ?? written?.password ?? "";
  return { next: "rotate", inUse: { user: inUse, password }, stale, ...part };
};

const proceed = (
  seen: SeenSmtp,
  context: DecisionContext,
  change: Replacing,
  current: SmtpSecret | undefined,
): SmtpDecision => {
  const { accessKeyId: after, retiring } = change;
  const { accessKeyId: before } = retiring;
  assertSameRegion(change, context);
  if (current?.accessKeyId !== undefined && current.accessKeyId !== before)
    throw new CredentialSecretError(
      `${context.secret} (pending): retiring.accessKeyId is another than that of the current version; remove the pending version`,
    );
  refuseOthers(seen, context, [after, before]);
  const part = takingPart(seen, context, [after, before]);
  const works = (wanted: string) => seen.keys.some(({ id, active }) => id === wanted && active);
  if (works(after) && part.sites.length > 0) return { next: "continue", change, ...part };
  if (part.sites.length === 0 || works(before)) {
    const isBack = !seen.keys.some(({ id }) => id === after) && part.sites.every(({ mail }) => mail.user !== after);
    return isBack ? begin(seen, context, current) : { next: "goBack", change, ...part };
  }
  throw new CredentialDriftError(
    `neither ${after} nor ${before} is an active access key of ${context.user}; activate one that is left, or set the login of another key in OpenEMR and in ${context.secret}`,
  );
};

const settle = (seen: SeenSmtp, context: DecisionContext, change: Replacing): SmtpDecision => {
  const { accessKeyId: after, retiring } = change;
  const { accessKeyId: before } = retiring;
  assertSameRegion(change, context);
  refuseOthers(seen, context, [after, before]);
  const part = takingPart(seen, context, [after, before]);
  const former = seen.keys.find(({ id }) => id === before);
  if (seen.keys.some(({ id, active }) => id === after && active))
    return { next: "settle", change, ...(former ? { former } : {}), ...part };
  if (former) return { next: "reactivate", change, ...part };
  throw new CredentialDriftError(
    `${after}, which ${context.secret} names, is no active access key of ${context.user}, and the key before is gone; activate it, or set the login of another key in OpenEMR and in ${context.secret}`,
  );
};
