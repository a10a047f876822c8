import { decrypt, type KeySet, looksEncrypted, versionOf } from "./crypto.ts";
import type { KeyProblem } from "./keyProof.ts";
import { baseTable, columnsOf, type SqlReader, shortened } from "./sqlReader.ts";

/** Encrypted values that were tried, and how many of them opened. */
export interface ValueSamples {
  readonly found: number;
  readonly opened: number;
}

/** Settings that OpenEMR and its modules encrypt, by name in table `globals`. */
export const encryptedSettings: readonly string[] = [
  "SMTP_PASS",
  "comlink_telehealth_user_password",
  "couchdb_pass",
  "easipro_pass",
  "erx_account_password",
  "gateway_api_key",
  "gateway_public_key",
  "gateway_transaction_key",
  "google_recaptcha_secret_key",
  "oe_dorn_config_clientsecret",
  "phimail_password",
  "phone_gateway_password",
  "rainforest_api_key",
  "rainforest_webhook_secret",
  "usps_apiv3_client_id",
  "usps_apiv3_client_secret",
  "weno_admin_password",
  "weno_encryption_key",
  "weno_provider_password",
];
/** The settings of one payment gateway come in several kinds with these endings. */
const encryptedSettingPattern = /^sphere_.*(?:trxcustid|licensekey|tc_link_pass)|^sphere_credit_void_confirm_pin$/;

/** Columns that hold one ciphertext a row, of which the newest is tried. */
const sampledColumns = [
  { table: "oauth_clients", column: "client_secret", order: "register_date" },
  { table: "x12_partners", column: "x12_sftp_pass", order: "id" },
] as const;

/**
 * Tries every encrypted setting and a sample of other encrypted columns with the drive keys. Text without a version in front is clear
 * and counts as nothing.
 */
export const valueProblems = async ({
  site,
  database,
  keys,
}: {
  site: string;
  database: SqlReader;
  keys: KeySet;
}): Promise<{ samples: ValueSamples; problems: readonly KeyProblem[] }> => {
  const values = [...(await encryptedGlobals(database)), ...(await newestOfColumns(database))];
  const closed = values.filter(({ value }) => !decrypt(value, keys, "drive").opened);
  return {
    samples: { found: values.length, opened: values.length - closed.length },
    problems: [...new Set(closed.map(({ subject }) => subject))].map((subject) => ({
      code: "value-does-not-open",
      site,
      subject,
      message: `site ${site}: ${subject} does not open with the drive keys`,
    })),
  };
};

interface EncryptedValue {
  readonly subject: string;
  readonly value: string;
}

const encryptedGlobals = async (database: SqlReader): Promise<readonly EncryptedValue[]> => {
  if ((await columnsOf(database, "globals")).size === 0) return [];
  const rows = await database.rows(
    `SELECT gl_name AS name, ${shortened("gl_value")} AS value FROM ${baseTable("globals")} WHERE gl_value LIKE '00%' AND (gl_name LIKE 'sphere%' OR gl_name IN (${encryptedSettings.map(() => "?").join(", ")})) LIMIT 1000`,
    encryptedSettings,
  );
  return rows.flatMap(({ name, value }) =>
    name &&
    value &&
    versionOf(value) !== undefined &&
    (encryptedSettings.includes(name) || encryptedSettingPattern.test(name))
      ? [{ subject: `globals.${name}`, value }]
      : [],
  );
};

const newestOfColumns = async (database: SqlReader): Promise<readonly EncryptedValue[]> => {
  const values: EncryptedValue[] = [];
  for (const { table, column, order } of sampledColumns) {
    const columns = await columnsOf(database, table);
    if (!columns.has(column) || !columns.has(order)) continue;
    const [row] = await database.rows(
      `SELECT ${shortened(column)} AS value FROM ${baseTable(table)} WHERE \`${column}\` LIKE '00%' ORDER BY \`${order}\` DESC LIMIT 1`,
    );
    if (row?.value && looksEncrypted(row.value)) values.push({ subject: `${table}.${column}`, value: row.value });
  }
  return values;
};
