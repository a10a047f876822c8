import { decrypt, type KeySet } from "./crypto.ts";
import type { Settings } from "./settings.ts";
import { baseTable, columnsOf, type SqlReader } from "./sqlReader.ts";

/** The settings that `logsInByLdap` reads. */
export const ldapSettings = ["gbl_ldap_enabled", "gbl_ldap_exclusions"] as const;

/** Whether a directory server checks the user's password, so that the hash in the database opens nothing. */
export const logsInByLdap = (settings: Settings, username: string): boolean => {
  if (["", "0"].includes(settings.get("gbl_ldap_enabled") ?? "")) return false;
  const exclusions = (settings.get("gbl_ldap_exclusions") ?? "").split(",").map((name) => name.trim());
  return !exclusions.includes(username);
};

/**
 * Names of the user's second factors that a new password would make useless. A secret that OpenEMR's installer registered is
 * encrypted with the hash of the password until the user's first login with it; from then on with drive keys.
 */
export const factorsBoundToPassword = async (
  database: SqlReader,
  keys: KeySet,
  userId: string,
): Promise<readonly string[]> => {
  if ((await columnsOf(database, "login_mfa_registrations")).size === 0) return [];
  const rows = await database.rows(
    `SELECT name, method, var1 FROM ${baseTable("login_mfa_registrations")} WHERE user_id = ? ORDER BY name LIMIT 1000`,
    [userId],
  );
  return rows.flatMap(({ name, method, var1 }) =>
    method?.toUpperCase() === "TOTP" && !decrypt(var1 ?? "", keys, "drive").opened ? [name ?? ""] : [],
  );
};
