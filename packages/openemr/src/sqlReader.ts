/**
 * Reads rows of the installation's schema; never writes. Implemented over a database driver elsewhere.
 * Every value comes as text, or `null`; binary columns are not asked for. Rows of a single query are held in memory,
 * so callers page. Placeholders are `?`.
 */
export interface SqlReader {
  rows(sql: string, values?: readonly (string | number)[]): Promise<readonly SqlRow[]>;
}
export type SqlRow = Readonly<Record<string, string | null>>;

/**
 * A table in a FROM, such that the server refuses the statement (error 1176) where a view has that name. Whoever has
 * OpenEMR's login can put a view there at any moment, with functions that would run with the rights of whoever reads it.
 * An index hint is what no view takes, and the server looks at that when it opens the name, before anything of the view is
 * evaluated: so there is no moment between looking and reading. This hint itself concerns nothing: the statements do not group.
 */
export const baseTable = (name: string, alias = ""): string =>
  `\`${name.replaceAll("`", "``")}\` ${alias} USE INDEX FOR GROUP BY ()`;

/** A text column, but no more of it than such a value can have: a row can hold gigabytes. */
export const shortened = (column: string, characters = 65_536): string => `SUBSTR(\`${column}\`, 1, ${characters})`;

/** Tables that the checks of this package read. */
const readTables = [
  "documents",
  "form_encounter",
  "globals",
  "keys",
  "oauth_clients",
  "patient_data",
  "sequences",
  "users",
  "users_secure",
  "version",
  "x12_partners",
] as const;
/** And tables that only a rotation reads. */
export type ReadTable =
  | (typeof readTables)[number]
  | "email_queue"
  | "groups"
  | "log"
  | "log_comment_encrypt"
  | "login_mfa_registrations";

const isTable = (type: string | null | undefined): boolean => type === "BASE TABLE" || type === "SYSTEM VERSIONED";

/** Names of tables that we would read and where something else is, usually a view; sorted. */
export const namesOfNoTable = async (database: SqlReader): Promise<readonly string[]> => {
  const rows = await database.rows(
    `SELECT table_name AS name, table_type AS type FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN (${readTables.map(() => "?").join(", ")})`,
    readTables,
  );
  return rows
    .filter(({ type }) => !isTable(type))
    .map(({ name }) => name ?? "")
    .sort();
};

/**
 * Lower-case names of a table's columns in the connection's schema; empty when the table is absent (older release, removed
 * module), or when it is something else than a table: asking for a view's columns can run what the view holds.
 */
export const columnsOf = async (database: SqlReader, table: ReadTable): Promise<ReadonlySet<string>> => {
  const [found] = await database.rows(
    "SELECT table_type AS type FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?",
    [table],
  );
  if (!isTable(found?.type)) return new Set();
  const rows = await database.rows(
    "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?",
    [table],
  );
  return new Set(rows.map(({ name }) => (name ?? "").toLowerCase()));
};
