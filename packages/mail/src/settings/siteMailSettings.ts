import { connect, connectReadOnly } from "@openemr-ops/database/connection";
import { openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import { countMailQueue } from "./mailQueue.ts";
import type { MailSettings, SmtpLogin } from "./mailSettings.ts";
import { assertKept, isStored, replaceLogin } from "./replaceLogin.ts";
import { mailPlace, mailRows, siteMail, storedLogin } from "./storedMail.ts";

/** Where one site of OpenEMR lies. */
export interface MailSite {
  /** The `sites` directory. */
  readonly sitesPath: string;
  readonly site: string;
  /** 16 random bytes, never the same twice. */
  readonly newIv: () => Buffer;
  readonly signal?: AbortSignal;
}

/**
 * The mail settings of a site in its own database, reached as OpenEMR itself does, by its `sqlconf.php`. Each call looks at
 * everything anew, keys and release too, and keeps nothing. No key is ever made.
 *
 * Beside what the port says, each call can fail with the `Database…Error` family, with `SqlconfError`, and with
 * `SourceUnreadableError`. `read` and `replace` refuse with `RotationRefusedError` where the table of settings is not one in which
 * a login can be replaced, and `replace` with `PasswordPolicyError` where OpenEMR would lose the new one. Where `replace` fails because
 * the connection broke, either login may be the stored one, and never half of each: reading again shows which.
 */
export const siteMailSettings = ({ sitesPath, site, newIv, signal }: MailSite): MailSettings => {
  const access = async () => ({ ...(await openEmrAccess(sitesPath, site)).access, signal });
  return {
    site,
    read: async () => {
      await using database = await connectReadOnly(await access());
      const place = await mailPlace(database, sitesPath, site);
      return siteMail(await mailRows(database), place);
    },
    replace: async (before: SmtpLogin, after: SmtpLogin) => {
      assertKept(site, after);
      await using database = await connect(await access());
      const written = await replaceLogin(database, await mailPlace(database, sitesPath, site), {
        before,
        after,
        newIv,
      });
      if (!written) return false;
      // As OpenEMR's next request does: over a connection of its own, with keys that are read anew.
      await using another = await connectReadOnly(await access());
      const rows = await mailRows(another);
      if (!isStored(rows, written)) return false;
      const { user, password } = storedLogin(rows, await mailPlace(another, sitesPath, site));
      return user === after.user && password === after.password;
    },
    queueSince: async (moment: Date) => {
      await using database = await connectReadOnly(await access());
      return await countMailQueue(database, moment);
    },
  };
};
