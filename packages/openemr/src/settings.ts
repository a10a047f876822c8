import { baseTable, columnsOf, type SqlReader } from "./sqlReader.ts";

/** Values of OpenEMR's global settings, by name; those that are absent are absent. */
export type Settings = ReadonlyMap<string, string>;

/** Reads some of OpenEMR's global settings. They hold from the next request on: nothing of OpenEMR keeps them. */
export const readSettings = async (database: SqlReader, names: readonly string[]): Promise<Settings> => {
  if ((await columnsOf(database, "globals")).size === 0) return new Map();
  const rows = await database.rows(
    `SELECT gl_name AS name, gl_value AS value FROM ${baseTable("globals")} WHERE gl_index = 0 AND gl_name IN (${names.map(() => "?").join(", ")})`,
    names,
  );
  return new Map(rows.flatMap(({ name, value }) => (name ? [[name, value ?? ""] as const] : [])));
};
