import type { DatabaseConnection } from "@openemr-ops/database/connection";
import type { PlannedTable } from "./planExport.ts";
import { othersThanBooleans } from "./statement.ts";

/**
 * Asks the server which columns that were wished as booleans have other values than 0 and 1. A file's types are fixed before
 * its first row, and to make `true` of a 2 would falsify it.
 *
 * @param connection inside the snapshot: without one, a value may come later
 * @returns why each of these columns stays a number
 */
export const columnsThatStayNumbers = async (
  connection: DatabaseConnection,
  { described, plan }: PlannedTable,
): Promise<ReadonlyMap<string, string>> => {
  const wished = plan.columns.filter(({ boolean }) => boolean).map(({ name }) => name);
  if (wished.length === 0) return new Map();
  if (described.engine !== "InnoDB") {
    const reason = `a number: a table of ${described.engine} has no snapshot to judge its values in`;
    return new Map(wished.map((name) => [name, reason]));
  }
  const [found] = await connection.rows(othersThanBooleans(plan, wished));
  const others = wished.filter((_, index) => found?.[`c${index}`] === "1");
  return new Map(others.map((name) => [name, "a number: not all values are 0 or 1"]));
};
