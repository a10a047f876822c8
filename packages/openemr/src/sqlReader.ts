/**
 * Reads rows of the installation's schema; never writes. Implemented over a database driver elsewhere.
 * Every value comes as text, or `null`; binary columns are not asked for. Rows of a single query are held in memory,
 * so callers page. Placeholders are `?`.
 */
export interface SqlReader {
  rows(sql: string, values?: readonly (string | number)[]): Promise<readonly SqlRow[]>;
}
export type SqlRow = Readonly<Record<string, string | null>>;

/** Lower-case names of a table's columns in the connection's schema; empty when the table is absent (older release, removed module). */
export const columnsOf = async (database: SqlReader, table: string): Promise<ReadonlySet<string>> => {
  const rows = await database.rows(
    "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?",
    [table],
  );
  return new Set(rows.map(({ name }) => (name ?? "").toLowerCase()));
};
