import { RotationRefusedError } from "@openemr-ops/core/errors";
import { factorsBoundToPassword, ldapSettings, logsInByLdap } from "@openemr-ops/openemr/externalLogin";
import { readKeySet } from "@openemr-ops/openemr/keys";
import { findLoginUser, type LoginUser } from "@openemr-ops/openemr/loginUser";
import { policySettings } from "@openemr-ops/openemr/passwordPolicy";
import { timeSettings } from "@openemr-ops/openemr/practiceTime";
import { readSettings, type Settings } from "@openemr-ops/openemr/settings";
import { columnsOf, type SqlReader } from "@openemr-ops/openemr/sqlReader";
import type { AdminRotation } from "./adminRotation.ts";

/** What was found of the user and of OpenEMR's settings. Holds hashes: never log or store it. */
export interface FoundAdmin {
  readonly user: LoginUser;
  readonly settings: Settings;
  /** The audit log has the form that `auditRow.ts` writes. */
  readonly audited: boolean;
}

const hashSettings = ["gbl_auth_bcrypt_hash_cost"] as const;

/**
 * Looks at the user whose password is to be rotated; changes nothing.
 *
 * @throws {RotationRefusedError} refused: a new hash would let nobody in, or would lock the user out
 */
export const lookAtAdmin = async (
  database: SqlReader,
  { user: username, sitesPath, site }: Pick<AdminRotation, "user" | "sitesPath" | "site">,
): Promise<FoundAdmin> => {
  const user = await findLoginUser(database, username);
  const settings = await readSettings(database, [...policySettings, ...ldapSettings, ...hashSettings, ...timeSettings]);
  if (logsInByLdap(settings, username))
    throw new RotationRefusedError(
      `OpenEMR's user ${username} logs in by LDAP (setting gbl_ldap_enabled), so that its password in the database opens nothing; rotate it in the directory, or add the user to gbl_ldap_exclusions`,
    );
  const { keys } = await readKeySet(sitesPath, site, database);
  const bound = await factorsBoundToPassword(database, keys, user.id);
  if (bound.length > 0)
    throw new RotationRefusedError(
      `the second factor (TOTP) ${bound.join(", ")} of OpenEMR's user ${username} does not open with the drive keys of site ${site}, and a new password would make it useless; log in with it once, or remove it`,
    );
  const log = await columnsOf(database, "log");
  const checksums = await columnsOf(database, "log_comment_encrypt");
  return { user, settings, audited: log.has("ccda_doc_id") && log.has("log_from") && checksums.has("checksum_api") };
};
