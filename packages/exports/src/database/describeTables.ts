import { DatabaseMissingError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import type { SkippedTable } from "../context.ts";
import type { TableColumn, TableDescription } from "../profiles/profile.ts";

export interface DescribedTable extends TableDescription {
  readonly engine: string;
  /** As the server estimates them. */
  readonly estimatedRows: number;
}

export interface DescribedSchema {
  readonly schema: string;
  readonly tables: readonly DescribedTable[];
  /** What has no rows of its own. */
  readonly others: readonly SkippedTable[];
}

const hasRows = new Set(["BASE TABLE", "SYSTEM VERSIONED"]);
const reasons: Readonly<Record<string, string>> = {
  VIEW: "a view: its rows are those of tables",
  SEQUENCE: "a sequence: it has no rows",
};

/**
 * Reads from the server's catalogue which tables and columns there are now.
 *
 * @throws {DatabaseMissingError} fatal: the schema has no table that the user may see
 */
export const describeTables = async (connection: DatabaseConnection): Promise<DescribedSchema> => {
  const [current] = await connection.rows("SELECT DATABASE() AS name");
  const names = await connection.rows(
    "SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_ROWS AS estimate FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME",
  );
  const columns = await connection.rows(
    "SELECT TABLE_NAME AS t, COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS whole, IS_NULLABLE AS nullable FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION",
  );
  const byTable = Map.groupBy(columns, ({ t }) => t ?? "");
  const columnsOf = (table: string): readonly TableColumn[] =>
    (byTable.get(table) ?? []).map(({ name, type, whole, nullable }) => ({
      name: name ?? "",
      dataType: (type ?? "").toLowerCase(),
      columnType: whole ?? "",
      nullable: nullable === "YES",
    }));
  const tables = names
    .filter(({ type }) => hasRows.has(type ?? ""))
    .map(({ name, engine, estimate }) => ({
      name: name ?? "",
      engine: engine ?? "unknown",
      estimatedRows: Number(estimate ?? 0),
      columns: columnsOf(name ?? ""),
    }));
  if (tables.length === 0)
    throw new DatabaseMissingError(
      `schema ${current?.name} contains no table that the user may see: an export would be empty. Check database.name and the user's right SELECT`,
    );
  return {
    schema: current?.name ?? "",
    tables,
    others: names
      .filter(({ type }) => !hasRows.has(type ?? ""))
      .map(({ name, type }) => ({
        table: name ?? "",
        reason: reasons[type ?? ""] ?? "not a table",
      })),
  };
};
