import { quoteName } from "@openemr-ops/database/identifiers";
import { baseTable } from "@openemr-ops/openemr/sqlReader";
import type { ExportedColumn, ExportedTablePlan, TableColumn } from "../profiles/profile.ts";
import type { DescribedTable } from "./describeTables.ts";

/** Types that the server sends as text without being asked. */
const isText = /^(?:char|varchar|tinytext|text|mediumtext|longtext|enum|set|json|uuid|inet4|inet6)$/;

/** The table's own column, where the export's is nothing else. */
export const ownColumn = (
  { columns }: DescribedTable,
  { name, expression }: ExportedColumn,
): TableColumn | undefined => (expression === undefined ? columns.find((column) => column.name === name) : undefined);

const selected = (table: DescribedTable, column: ExportedColumn): string => {
  const { name, expression, transform } = column;
  const asked = expression === undefined ? quoteName(name) : `(${expression})`;
  const comesAsText = isText.test(ownColumn(table, column)?.dataType ?? "");
  const asText = transform && !comesAsText ? `CAST(${asked} AS CHAR)` : asked;
  return asText === quoteName(name) ? asText : `${asText} AS ${quoteName(name)}`;
};

const from = ({ table, leftOut }: ExportedTablePlan): string =>
  `FROM ${baseTable(table)}${leftOut === undefined ? "" : ` WHERE NOT ${leftOut}`}`;

export const selectOf = (table: DescribedTable, plan: ExportedTablePlan): string =>
  `SELECT ${plan.columns.map((column) => selected(table, column)).join(",")} ${from(plan)}${plan.orderBy === undefined ? "" : ` ORDER BY ${plan.orderBy}`}`;

/** Asks whether columns have other values than 0, 1 and NULL: in `c0`, `c1` and so on, 1 where one has. */
export const othersThanBooleans = (plan: ExportedTablePlan, columns: readonly string[]): string =>
  `SELECT ${columns.map((name, index) => `MAX(${quoteName(name)} NOT IN (0, 1)) AS c${index}`).join(",")} ${from(plan)}`;

/** Counts the rows that stay, by their condition. */
export const countLeftOut = (table: string, leftOut: string): string =>
  `SELECT COUNT(*) AS n FROM ${baseTable(table)} WHERE ${leftOut}`;

export const countOf = (plan: ExportedTablePlan): string => `SELECT COUNT(*) AS n ${from(plan)}`;
