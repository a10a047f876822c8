import { readKeySet } from "@openemr-ops/openemr/keys";
import { type HowToSeal, howToSeal, openSetting, type SettingKeys } from "@openemr-ops/openemr/sealedSetting";
import { assertReplaceable, settingRows } from "@openemr-ops/openemr/settingRows";
import type { Settings } from "@openemr-ops/openemr/settings";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";
import { readVersion } from "@openemr-ops/openemr/version";
import type { SiteMail, SmtpLogin } from "./mailSettings.ts";

/**
 * What a site's mail settings are opened and sealed with.
 *
 * @throws {RotationRefusedError} refused: the table of settings is none in which a login can be replaced
 */
export const mailKeys = async (database: SqlReader, sitesPath: string, site: string): Promise<SettingKeys> => {
  await assertReplaceable(database, site);
  return { site, keys: await readKeySet(sitesPath, site, database), release: await readVersion(database) };
};

/** The settings, and what OpenEMR takes where one has no row. */
const defaults: Readonly<Record<string, string>> = {
  EMAIL_METHOD: "SMTP",
  SMTP_HOST: "localhost",
  SMTP_PORT: "25",
  SMTP_SECURE: "",
  SMTP_USER: "",
  SMTP_PASS: "",
  database_encryption: "1",
};
const settingOf = (rows: Settings, name: keyof typeof defaults): string => rows.get(name) ?? defaults[name] ?? "";

/** @param options see `settingRows` @throws {RotationRefusedError} */
export const mailRows = (
  database: SqlReader,
  site: string,
  options?: { readonly locked: boolean },
): Promise<Settings> => settingRows(database, site, Object.keys(defaults), options);

/** A login as it is stored. */
export interface StoredLogin extends SmtpLogin {
  /** How a new password is stored in its place. */
  readonly how: HowToSeal;
}

/** @throws {KeyPairError} damaged: the password does not open, or a new one could not be sealed */
export const storedLogin = (rows: Settings, keys: SettingKeys): StoredLogin => {
  const { text, version } = openSetting("SMTP_PASS", settingOf(rows, "SMTP_PASS"), keys);
  const encrypts = !["", "0"].includes(settingOf(rows, "database_encryption"));
  return { user: settingOf(rows, "SMTP_USER"), password: text, how: howToSeal(keys, { written: version, encrypts }) };
};

/** How the site sends. Without SMTP, or without a user, OpenEMR uses no password, and none is opened. @throws {KeyPairError} */
export const siteMail = (rows: Settings, keys: SettingKeys): SiteMail => {
  const method = settingOf(rows, "EMAIL_METHOD");
  const user = settingOf(rows, "SMTP_USER");
  return {
    method,
    host: settingOf(rows, "SMTP_HOST"),
    port: Number(settingOf(rows, "SMTP_PORT")) || 0,
    secure: settingOf(rows, "SMTP_SECURE"),
    user,
    password: method === "SMTP" && user !== "" ? storedLogin(rows, keys).password : "",
  };
};
