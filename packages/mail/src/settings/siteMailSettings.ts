import { SqlconfError } from "@openemr-ops/core/errors";
import { connect, connectReadOnly } from "@openemr-ops/database/connection";
import { type OpenEmrAccess, openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";
import { countMailQueue } from "./mailQueue.ts";
import type { MailSettings, SiteMail, SmtpLogin } from "./mailSettings.ts";
import { assertKept, isStored, replaceLogin } from "./replaceLogin.ts";
import { mailKeys, mailRows, siteMail, storedLogin } from "./storedMail.ts";

/** Where one site of OpenEMR lies. */
export interface MailSite {
  /** The `sites` directory. */
  readonly sitesPath: string;
  readonly site: string;
  /** 16 random bytes, never the same twice. */
  readonly newIv: () => Buffer;
  readonly signal?: AbortSignal;
}

/** @throws {SqlconfError} fatal: the file cannot be read without running it */
const reach = async ({ sitesPath, site, signal }: MailSite): Promise<OpenEmrAccess> => {
  try {
    const found = await openEmrAccess(sitesPath, site);
    return { ...found, access: { ...found.access, signal } };
  } catch (error) {
    if (!(error instanceof SqlconfError)) throw error;
    throw new SqlconfError(`${site}/sqlconf.php: ${error.message}`, { cause: error });
  }
};

const notSetUp: SiteMail = { method: "", host: "", port: 0, secure: "", user: "", password: "" };

/**
 * The mail settings of a site in its own database, reached as OpenEMR itself does, by its `sqlconf.php`. Each call looks at
 * everything anew, keys and release too, and keeps nothing. No key is ever made.
 *
 * Beside what the port says, each call can fail with the `Database…Error` family, with `SqlconfError`, and with
 * `SourceUnreadableError`. `read` and `replace` refuse with `RotationRefusedError` where the table of settings is not one in which
 * a login can be replaced, and `replace` with `PasswordPolicyError` where OpenEMR would lose the new one. Where `replace` fails because
 * the connection broke, either login may be the stored one, and never half of each: reading again shows which.
 */
export const siteMailSettings = (place: MailSite): MailSettings => {
  const { sitesPath, site, newIv } = place;
  const keysIn = (database: SqlReader) => mailKeys(database, sitesPath, site);
  return {
    site,
    read: async () => {
      const { configured, access } = await reach(place);
      if (!configured) return notSetUp;
      await using database = await connectReadOnly(access);
      const keys = await keysIn(database);
      return siteMail(await mailRows(database, site), keys);
    },
    replace: async (before: SmtpLogin, after: SmtpLogin) => {
      assertKept(site, after);
      const { access } = await reach(place);
      await using database = await connect(access);
      const written = await replaceLogin(database, await keysIn(database), { before, after, newIv });
      if (!written) return false;
      // As OpenEMR's next request does: over a connection of its own, with keys that are read anew.
      await using another = await connectReadOnly(access);
      const rows = await mailRows(another, site);
      if (!isStored(rows, written)) return false;
      const { user, password } = storedLogin(rows, await keysIn(another));
      return user === after.user && password === after.password;
    },
    queueSince: async (moment: Date) => {
      const { access } = await reach(place);
      await using database = await connectReadOnly(access);
      return await countMailQueue(database, moment);
    },
  };
};
