import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { Settings } from "./settings.ts";
import { baseTable, columnsOf, type SqlReader } from "./sqlReader.ts";

/**
 * Reads settings that are to be replaced. OpenEMR has one row for each, with number 0; a setting without a row is absent here.
 *
 * @param options.locked keeps others from changing or adding these rows until the transaction ends
 * @throws {RotationRefusedError} refused: a setting has several rows, or its row is none that OpenEMR reads
 */
export const settingRows = async (
  database: SqlReader,
  site: string,
  names: readonly string[],
  { locked = false } = {},
): Promise<Settings> => {
  const rows = await database.rows(
    `SELECT gl_name AS name, gl_index AS number, gl_value AS value FROM ${baseTable("globals")} WHERE gl_name IN (${names.map(() => "?").join(", ")})${locked ? " FOR UPDATE" : ""}`,
    names,
  );
  const settings = new Map<string, string>();
  for (const { name, number, value } of rows) {
    const refuse = (why: string) =>
      new RotationRefusedError(
        `site ${site}: in table globals ${why}, and OpenEMR reads one, with gl_index 0; remove the other rows`,
      );
    if (name === null || name === undefined || !names.includes(name))
      throw refuse(`a setting is spelled ${name}, which the database takes for another one`);
    if (number !== "0") throw refuse(`setting ${name} has a row with gl_index ${number}`);
    if (settings.has(name)) throw refuse(`setting ${name} has several rows`);
    settings.set(name, value ?? "");
  }
  return settings;
};

/**
 * How many characters a setting's value may have.
 *
 * @throws {RotationRefusedError} refused: there is no table of settings, or several of its rows cannot be replaced together
 */
export const settingLength = async (database: SqlReader, site: string): Promise<number> => {
  if (!(await columnsOf(database, "globals")).has("gl_value"))
    throw new RotationRefusedError(
      `site ${site}: the schema has no table globals with OpenEMR's settings; compare the schema's name in sqlconf.php`,
    );
  const [table] = await database.rows(
    "SELECT engine AS engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'globals'",
  );
  if (table?.engine?.toLowerCase() !== "innodb")
    throw new RotationRefusedError(
      `site ${site}: table globals has the engine ${table?.engine}, in which user and password cannot be replaced together; run ALTER TABLE globals ENGINE=InnoDB`,
    );
  const [column] = await database.rows(
    "SELECT character_maximum_length AS length FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'globals' AND column_name = 'gl_value'",
  );
  return Number(column?.length ?? 0);
};
