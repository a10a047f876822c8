import { DatabaseAccessDeniedError, DatabaseMissingError, SiteLoginError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import { quoteName } from "@openemr-ops/database/identifiers";

/** A table that OpenEMR has had in all releases, and one row that it never has. */
const settings = {
  table: "globals",
  insert: "INSERT INTO globals (gl_name, gl_index, gl_value) VALUES ('openemr_ops_rotation', 0, '')",
};

/** Tables whose rows a roll-back brings back. */
const tablesOf = async (connection: DatabaseConnection, schema: string): Promise<readonly string[]> => {
  const rows = await connection.rows(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND ENGINE = 'InnoDB' ORDER BY TABLE_NAME",
    [schema],
  );
  return rows.map(({ name }) => name ?? "");
};

/** Reads a row, and writes one that is rolled back; in a table that is not OpenEMR's, no row is written. */
const readAndWrite = async (connection: DatabaseConnection, schema: string): Promise<void> => {
  const tables = await tablesOf(connection, schema);
  const known = tables.includes(settings.table);
  const table = known ? settings.table : tables[0];
  if (table === undefined) return;
  await connection.rows(`SELECT 1 FROM ${quoteName(table)} LIMIT 1`);
  await connection.run("START TRANSACTION");
  await connection.run(
    known ? settings.insert : `INSERT INTO ${quoteName(table)} SELECT * FROM ${quoteName(table)} LIMIT 0`,
  );
  await connection.run("ROLLBACK");
};

/**
 * Logs in as OpenEMR does for one site, reads a row of its schema, and writes one that is rolled back.
 *
 * @throws {SiteLoginError} fatal: the server refuses the login, the schema, the read or the write
 * @throws {DatabaseUnavailableError} retryable
 */
export const proveLogin = async (site: string, access: DatabaseAccess): Promise<void> => {
  try {
    await using connection = await connect(access);
    await readAndWrite(connection, access.name);
  } catch (error) {
    if (!(error instanceof DatabaseAccessDeniedError) && !(error instanceof DatabaseMissingError)) throw error;
    throw new SiteLoginError(
      `the database user ${access.user} cannot log in, read and write for site ${site}: ${error.message}`,
      { cause: error },
    );
  }
};
