import { quoteName } from "@openemr-ops/database/identifiers";
import { harmlessSettings, secretColumnReason, secretTableReason } from "@openemr-ops/openemr/privacy/secrets";
import { planTables } from "./planTables.ts";
import type { ExportedColumn, Profile, TableColumn, TableDescription } from "./profile.ts";
import { kept } from "./treatments.ts";

/** The value of a harmless setting that also looks like one; NULL for all others. */
const settingValue = (name: string, value: string): ExportedColumn => {
  const [setting, given] = [quoteName(name), quoteName(value)];
  const cases = harmlessSettings.map(
    ({ looksLike, names }) =>
      `WHEN ${setting} IN (${names.map((one) => `'${one}'`).join(", ")}) AND ${given} REGEXP '${looksLike}' THEN ${given}`,
  );
  return {
    name: value,
    expression: `CASE ${cases.join(" ")} END`,
    treatment: "kept for a list of harmless settings",
  };
};

const decideColumn = (table: TableDescription, column: TableColumn): ExportedColumn | string => {
  if (table.name.toLowerCase() === "globals" && column.name.toLowerCase() === "gl_value") {
    const setting = table.columns.find(({ name }) => name.toLowerCase() === "gl_name");
    return setting ? settingValue(setting.name, column.name) : "a setting can contain a secret";
  }
  return secretColumnReason(table.name, column.name) ?? kept(column);
};

/**
 * Everything but secrets. Tables and columns that are not known leave too, unless their names are like those of secrets:
 * modules and edited layouts matter to analysts.
 */
export const full = (): Profile => ({
  name: "full",
  plan: (tables) =>
    planTables(tables, (table) => ({
      withheld: secretTableReason(table.name),
      column: (column) => decideColumn(table, column),
    })),
});
