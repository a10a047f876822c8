import { join } from "node:path";
import { decodeKey, decrypt, type KeyLabel, type KeySet, type KeySource, keyLabels, versionOf } from "./crypto.ts";
import { readIfPresent } from "./siteFiles.ts";
import { baseTable, columnsOf, type SqlReader, shortened } from "./sqlReader.ts";

/** Why a key that exists cannot be used. */
export type KeyFault = "malformed" | "database-key-missing" | "does-not-open";

/** What a site has of keys, on both sides, and what of it can be used. Holds keys in clear: never log or store it. */
export interface SiteKeys {
  /** Usable keys. */
  readonly keys: KeySet;
  /** What exists, usable or not. */
  readonly present: Readonly<Record<KeySource, ReadonlySet<KeyLabel>>>;
  readonly faults: readonly { readonly source: KeySource; readonly label: KeyLabel; readonly fault: KeyFault }[];
  /** Ciphertexts of rows `oauth2key` and `oauth2passphrase`. */
  readonly oauth: { readonly key: string | undefined; readonly passphrase: string | undefined };
}

/** A key is a line or two; so is its row. Bytes. */
const largestKey = 64 * 1024;

/** Where a site keeps its drive keys, relative to the sites directory. */
export const driveKeyDirectory = (site: string): string => join(site, "documents", "logs_and_misc", "methods");

/**
 * Reads a site's drive keys and the rows of table `keys`, and opens drive keys five to seven with the database keys.
 * An absent table, file or row is an answer, as is a key that does not open. Reads only, makes nothing.
 *
 * @param database the schema that this site's `sqlconf.php` names
 * @throws {SourceUnreadableError} fatal: a drive key file exists and cannot be read
 */
export const readKeySet = async (sitesPath: string, site: string, database: SqlReader): Promise<SiteKeys> => {
  const faults: { source: KeySource; label: KeyLabel; fault: KeyFault }[] = [];
  const rows = await readKeyRows(database);

  const databaseKeys = new Map<KeyLabel, Buffer>();
  const databasePresent = new Set<KeyLabel>();
  for (const label of keyLabels) {
    const value = rows.get(label);
    if (value === undefined) continue;
    databasePresent.add(label);
    const key = decodeKey(value);
    if (key) databaseKeys.set(label, key);
    else faults.push({ source: "database", label, fault: "malformed" });
  }

  const driveKeys = new Map<KeyLabel, Buffer>();
  const drivePresent = new Set<KeyLabel>();
  for (const label of keyLabels) {
    const path = join(driveKeyDirectory(site), label);
    const content = await readIfPresent(join(sitesPath, path), path, largestKey);
    if (content === undefined) continue;
    drivePresent.add(label);
    const opened = openDriveKey(content.toString("latin1"), { drive: driveKeys, database: databaseKeys });
    if (typeof opened === "string") faults.push({ source: "drive", label, fault: opened });
    else driveKeys.set(label, opened);
  }

  return {
    keys: { drive: driveKeys, database: databaseKeys },
    present: { drive: drivePresent, database: databasePresent },
    faults,
    oauth: { key: rows.get("oauth2key"), passphrase: rows.get("oauth2passphrase") },
  };
};

const readKeyRows = async (database: SqlReader): Promise<ReadonlyMap<string, string>> => {
  if ((await columnsOf(database, "keys")).size === 0) return new Map();
  const rows = await database.rows(
    `SELECT \`name\`, ${shortened("value", largestKey)} AS \`value\` FROM ${baseTable("keys")} ORDER BY \`id\` LIMIT 1000`,
  );
  return new Map(rows.flatMap(({ name, value }) => (name ? [[name, value ?? ""] as const] : [])));
};

/** A key in clear, or sealed with database keys when the file begins with a version. */
const openDriveKey = (content: string, keys: KeySet): Buffer | KeyFault => {
  if (versionOf(content) === undefined) return decodeKey(content) ?? "malformed";
  const key = decrypt(content, keys, "database");
  if (key.opened) return key.plaintext.length === 32 ? key.plaintext : "malformed";
  if (key.reason === "key-missing") return "database-key-missing";
  return key.reason === "wrong-key" ? "does-not-open" : "malformed";
};
