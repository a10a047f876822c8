import { DatabaseSync } from "node:sqlite";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";

export type TestRow = Readonly<Record<string, string | number | null>>;

/**
 * Tables in memory behind the port that reads an installation's schema: enough SQL for what both SQLite and MariaDB understand.
 * Columns are those of the first row; a table with no rows is given its columns as `{ columns }`.
 */
export const sqliteReader = (
  tables: Readonly<Record<string, readonly TestRow[] | { readonly columns: readonly string[] }>>,
): SqlReader => {
  const database = new DatabaseSync(":memory:");
  database.exec("ATTACH ':memory:' AS information_schema");
  database.exec("CREATE TABLE information_schema.tables (table_schema, table_name COLLATE NOCASE, table_type)");
  database.exec("CREATE TABLE information_schema.columns (table_schema, table_name COLLATE NOCASE, column_name)");
  database.function("DATABASE", () => "openemr");
  for (const [table, content] of Object.entries(tables)) {
    const rows = "columns" in content ? [] : content;
    const columns = "columns" in content ? content.columns : Object.keys(rows[0] ?? {});
    database.exec(`CREATE TABLE \`${table}\` (${columns.map((column) => `\`${column}\``).join(", ")})`);
    const describe = database.prepare("INSERT INTO information_schema.columns VALUES ('openemr', ?, ?)");
    database.prepare("INSERT INTO information_schema.tables VALUES ('openemr', ?, 'BASE TABLE')").run(table);
    for (const column of columns) describe.run(table, column);
    const insert = database.prepare(`INSERT INTO \`${table}\` VALUES (${columns.map(() => "?").join(", ")})`);
    for (const row of rows) insert.run(...columns.map((column) => row[column] ?? null));
  }
  return {
    rows: async (sql, values = []) =>
      database
        .prepare(sql.replaceAll("USE INDEX FOR GROUP BY ()", "")) // a hint that SQLite has no word for
        .all(...values)
        .map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)])),
        ),
  };
};
