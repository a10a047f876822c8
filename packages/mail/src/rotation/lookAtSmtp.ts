import type { AccessKey } from "@openemr-ops/core/accessKeys";
import type { MailSettings, SiteMail } from "../settings/mailSettings.ts";
import { parseAccessKeySecret } from "./inStep.ts";
import type { SmtpRotation } from "./smtpRotation.ts";
import { readSmtpTexts, type SmtpTexts } from "./smtpSecret.ts";

/** A site's settings as they were found. */
export interface SeenSite {
  readonly settings: MailSettings;
  readonly mail: SiteMail;
}

/** All that a decision is made of. Holds passwords: never log or print it. */
export interface SeenSmtp {
  readonly keys: readonly AccessKey[];
  readonly texts: SmtpTexts;
  readonly sites: readonly SeenSite[];
  /** Keys that somebody has used, of those that no text and no site names. */
  readonly used: readonly string[];
}

/**
 * Looks at access keys, secret and sites; changes nothing.
 *
 * @throws {KeyPairError} fatal: a site's keys do not open its settings
 * @throws {CredentialSecretError} fatal: a text of a secret is not what it has to be
 * @throws {AccessKeyError} fatal: the user is unknown, or we may not list its keys
 */
export const lookAtSmtp = async (r: SmtpRotation): Promise<SeenSmtp> => {
  const sites: SeenSite[] = [];
  for (const settings of r.sites) sites.push({ settings, mail: await settings.read() });
  const texts = await readSmtpTexts(r.secret);
  for (const version of (await r.inStep.secretAccessKey?.versions()) ?? [])
    parseAccessKeySecret(version.text, r.inStep.secretAccessKey?.field ?? "");
  const keys = await r.accessKeys.list();
  const used: string[] = [];
  if (texts.current?.secret.creating || texts.pending?.secret.creating)
    for (const { id } of keys) if (await r.accessKeys.lastUsed(id)) used.push(id);
  return { keys, texts, sites, used };
};
