import { CredentialDriftError } from "@openemr-ops/core/errors";
import type { SmtpLogin } from "../settings/mailSettings.ts";
import type { SeenSite } from "./lookAtSmtp.ts";
import type { SmtpRotation } from "./smtpRotation.ts";

const mostAttempts = 3;

/**
 * Writes a login into the sites that have another one of the same rotation. Safe to repeat. A site that somebody gave a login of
 * another kind meanwhile is left alone.
 *
 * @param replaced users whose logins are replaced; with the new login's user among them, a wrong password of it is too
 * @returns the sites that were written
 * @throws {CredentialDriftError} fatal: somebody changes a site's settings all the time
 */
export const writeIntoSites = async (
  r: Pick<SmtpRotation, "signal" | "warn" | "progress">,
  sites: readonly SeenSite[],
  replaced: readonly string[],
  login: SmtpLogin,
): Promise<readonly string[]> => {
  const written: string[] = [];
  for (const { settings } of sites) {
    for (let attempt = 1; ; attempt++) {
      r.signal.throwIfAborted();
      const mail = await settings.read();
      if (mail.user === login.user && (mail.password === login.password || !replaced.includes(login.user))) break;
      if (mail.method !== "SMTP" || !replaced.includes(mail.user)) {
        r.warn(`somebody gave site ${settings.site} another way to send mail meanwhile, and it is left alone`);
        break;
      }
      r.progress({ step: "openemr", detail: settings.site });
      if (await settings.replace({ user: mail.user, password: mail.password }, login)) {
        written.push(settings.site);
        break;
      }
      if (attempt === mostAttempts)
        throw new CredentialDriftError(
          `the SMTP settings of site ${settings.site} are changed by somebody else all the time; find out who does that, then start the rotation again`,
        );
    }
  }
  return written;
};
