import { quoteName } from "@openemr-ops/database/identifiers";
import { growingTables } from "@openemr-ops/openemr/growingTables";
import { baseTable } from "@openemr-ops/openemr/sqlReader";
import type { DescribedTable } from "./describeTables.ts";

const isMoment = /^(?:datetime|timestamp)$/;

/** A date that is not NULL in the export: neither NULL nor zero, also in part. */
const isDate = (column: string): string =>
  `${column} IS NOT NULL AND YEAR(${column}) > 0 AND MONTH(${column}) > 0 AND DAY(${column}) > 0`;

const columnOf = (table: DescribedTable | undefined, name: string) => table?.columns.find((one) => one.name === name);

/**
 * Which rows of a table were written before a day, as an SQL condition that is true or false; `undefined` for a table that leaves
 * whole: rows can change later, or nothing tells when they were written. Dates are compared as they are stored, TIMESTAMP in UTC.
 *
 * @param tables those that the user may read
 * @param since such as `2026-01-31`
 */
export const writtenBefore = (
  table: DescribedTable,
  tables: readonly DescribedTable[],
  since: string,
): string | undefined => {
  const written = growingTables.get(table.name);
  if (written === undefined) return undefined;
  if ("date" in written) {
    if (!isMoment.test(columnOf(table, written.date)?.dataType ?? "")) return undefined;
    const date = `${quoteName(table.name)}.${quoteName(written.date)}`;
    return `(${isDate(date)} AND ${date} < '${since} 00:00:00')`;
  }
  const other = tables.find(({ name }) => name === written.of);
  const before = other && writtenBefore(other, tables, since);
  if (!before || !columnOf(table, written.by) || !columnOf(other, "id")) return undefined;
  const [own, its] = [
    `${quoteName(table.name)}.${quoteName(written.by)}`,
    `${quoteName(other.name)}.${quoteName("id")}`,
  ];
  return `EXISTS (SELECT 1 FROM ${baseTable(other.name)} WHERE ${its} = ${own} AND ${before})`;
};
