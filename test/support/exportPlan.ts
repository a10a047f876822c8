import { connectReadOnly } from "@openemr-ops/database/connection";
import { quoteName } from "@openemr-ops/database/identifiers";
import type { ExportedTablePlan, TableDescription } from "@openemr-ops/exports/profiles/profile";
import { accessOf, type FreshSchema } from "./database.ts";

/** The tables of a schema, as an export describes them to a profile. */
export const describeTables = async (schema: FreshSchema): Promise<readonly TableDescription[]> => {
  const rows = await schema.query(
    `SELECT c.TABLE_NAME AS t, COLUMN_NAME AS name, DATA_TYPE AS dataType, COLUMN_TYPE AS columnType, IS_NULLABLE AS nullable
     FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
     WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY c.TABLE_NAME, ORDINAL_POSITION`,
    [schema.name],
  );
  return [...Map.groupBy(rows, ({ t }) => String(t))].map(([name, columns]) => ({
    name,
    columns: columns.map((row) => ({
      name: String(row.name),
      dataType: String(row.dataType).toLowerCase(),
      columnType: String(row.columnType),
      nullable: row.nullable === "YES",
    })),
  }));
};

export type PlannedRow = Readonly<Record<string, string | null>>;

/** Reads what a plan lets leave of a table, as the user of dumps; values that are no text come in hexadecimal digits. */
export const readPlanned = async (schema: FreshSchema, plan: ExportedTablePlan): Promise<readonly PlannedRow[]> => {
  await using connection = await connectReadOnly(accessOf(schema, schema.dumpUser));
  const selected = plan.columns.map(({ name, expression }) => expression ?? quoteName(name)).join(", ");
  const where = plan.leftOut === undefined ? "" : ` WHERE NOT ${plan.leftOut}`;
  const order = plan.orderBy === undefined ? "" : ` ORDER BY ${plan.orderBy}`;
  const rows: PlannedRow[] = [];
  for await (const row of connection.stream(`SELECT ${selected} FROM ${quoteName(plan.table)}${where}${order}`)) {
    const values = plan.columns.map(({ name, transform }, index): [string, string | null] => {
      const value = row[index] ?? null;
      if (value === null) return [name, null];
      const text = transform ? transform(value) : value.toString();
      return [name, text?.includes("\u{fffd}") ? value.toString("hex") : (text ?? null)];
    });
    rows.push(Object.fromEntries(values));
  }
  return rows;
};
