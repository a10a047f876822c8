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

/** Characters of a setting's value in OpenEMR's own schema. */
const ownLength = 255;

/**
 * Makes sure that settings can be replaced together, and that any of them fits that fits into OpenEMR's own table.
 *
 * @throws {RotationRefusedError} refused: there is no table of settings, or it is another one
 */
export const assertReplaceable = async (database: SqlReader, site: string): Promise<void> => {
  const refuse = (why: string, next: string) => new RotationRefusedError(`site ${site}: ${why}; ${next}`);
  if (!(await columnsOf(database, "globals")).has("gl_value"))
    throw refuse("the schema has no table globals with OpenEMR's settings", "compare its name in sqlconf.php");
  const [table] = await database.rows(
    "SELECT engine AS engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'globals'",
  );
  if (table?.engine?.toLowerCase() !== "innodb")
    throw refuse(
      `table globals has the engine ${table?.engine}, in which several settings cannot be replaced together`,
      "run ALTER TABLE globals ENGINE=InnoDB",
    );
  const [column] = await database.rows(
    "SELECT character_maximum_length AS length FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'globals' AND column_name = 'gl_value'",
  );
  if (Number(column?.length) < ownLength)
    throw refuse(
      `column gl_value of table globals takes ${column?.length} characters`,
      `give it the ${ownLength} that it has in OpenEMR's own schema`,
    );
};
