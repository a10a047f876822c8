import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import type { FreshSchema } from "./database.ts";
import { runStatements } from "./runStatements.ts";

/**
 * Makes tables of a schema, which hold no rows yet, again from what SHOW CREATE TABLE prints, so that a copy made from
 * that prints the same: MySQL prints `COLLATE x` of a column that took its character set from the table, and
 * `CHARACTER SET y COLLATE x` once it was made from that.
 *
 * @param only these; all without it
 */
export const settleStructures = async (schema: FreshSchema, only?: readonly string[]): Promise<void> => {
  const tables = await schema.query(
    "SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'",
    [schema.name],
  );
  const again: string[] = [];
  for (const { t } of tables) {
    if (only && !only.includes(String(t))) continue;
    const [row] = await schema.query(`SHOW CREATE TABLE ${sqlName(String(t))}`);
    again.push(`DROP TABLE ${sqlName(String(t))}`, String(row?.["Create Table"]));
  }
  await runStatements(schema, schema.name, again);
};
