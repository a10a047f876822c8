import { setTimeout as sleep } from "node:timers/promises";
import {
  InstallationBusyError,
  IntegrityError,
  TargetNotEmptyError,
  TargetUnsuitableError,
} from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "./access.ts";
import { connect, type DatabaseConnection } from "./connection.ts";
import { quoteName } from "./identifiers.ts";
import { assertCollationsKnown } from "./knownCollations.ts";
import type { LoadableDump } from "./loadableDump.ts";
import { assertMayMakePrograms, withSchemaRight } from "./replaceable.ts";
import type { ProgramSection } from "./sqlScanner.ts";
import { followTableRules } from "./tableRules.ts";

/** Says in the target schema which dump is being loaded and which tables are done; `forgetLoad` removes it. */
export const progressTable = "openemr_ops_restore";

/**
 * The clients of a process that was killed outlive it for as long as their last statements take; a load that goes on
 * beside them would get rows twice.
 *
 * @throws {InstallationBusyError} retryable: they still run after 30 s
 */
const awaitQuiet = async (control: DatabaseConnection, schema: string): Promise<void> => {
  for (let look = 0; look < 150; look++) {
    const [row] = await control.rows(
      "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()",
      [schema],
    );
    if (Number(row?.n) === 0) return;
    await sleep(200);
  }
  throw new InstallationBusyError(
    `sessions are open in schema ${schema}, in which an interrupted load is to go on: try again when they have ended (SHOW PROCESSLIST tells whose they are)`,
  );
};

/**
 * Makes the schema, or finds out how far an interrupted load of the same dump came.
 *
 * @returns tables that are whole
 * @throws {TargetNotEmptyError} refused: the schema holds something else
 */
export const prepareSchema = async (
  control: DatabaseConnection,
  access: DatabaseAccess,
  dump: LoadableDump,
): Promise<Set<string>> => {
  const { characterSet, collation } = dump.server;
  if (!/^\w+$/.test(characterSet)) throw new IntegrityError("the manifest names a character set that is none");
  const name = quoteName(access.name);
  const collations = await control.rows(
    "SELECT COLLATION_NAME AS c FROM information_schema.COLLATIONS WHERE COLLATION_NAME = ?",
    [collation],
  );
  const make = `CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET ${characterSet}${collations.length > 0 && /^\w+$/.test(collation) ? ` COLLATE ${collation}` : ""}`;
  await withSchemaRight(control, access.name, () => control.run(make));
  await control.run(`USE ${name}`);
  const tables = await control.rows("SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", [
    access.name,
  ]);
  if (tables.some((row) => row.t !== progressTable)) {
    const ours = tables.some((row) => row.t === progressTable)
      ? await control.rows(`SELECT dump_id, table_name FROM ${progressTable}`)
      : [];
    if (ours.length === 0 || ours.some((row) => row.dump_id !== dump.dumpId))
      throw new TargetNotEmptyError(
        `schema ${access.name} already holds ${tables.length} tables: restore into a new name, or drop it first if nobody needs it`,
      );
    await awaitQuiet(control, access.name);
    return new Set(ours.map((row) => row.table_name ?? ""));
  }
  await control.run(`DROP TABLE IF EXISTS ${progressTable}`); // of a load that had only begun
  await control.run(
    `CREATE TABLE ${progressTable} (dump_id CHAR(26) NOT NULL, table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY)`,
  );
  await control.run(`INSERT INTO ${progressTable} VALUES (?, '')`, [dump.dumpId]);
  return new Set();
};

/**
 * Makes sure that the server can take a dump, before any of it is loaded.
 *
 * @param sections programs that are to be made
 * @returns settings that each session of the load needs, and this one has
 * @throws {TargetUnsuitableError} refused: the server takes no statement as long as the dump's longest, lacks a collation, has rules
 *   that the dump's tables break, or lets our user make no triggers
 */
export const assertServer = async (
  control: DatabaseConnection,
  dump: LoadableDump,
  sections: readonly ProgramSection[],
): Promise<readonly string[]> => {
  await assertCollationsKnown(control, dump);
  const session = await followTableRules(control, dump);
  if (sections.includes("triggers") && dump.database.programs.some(({ section }) => section === "triggers"))
    await assertMayMakePrograms(control, "triggers");
  const [row] = await control.rows("SELECT @@max_allowed_packet AS packet");
  const packet = Number(row?.packet ?? 0);
  if (packet <= dump.database.largestStatement)
    throw new TargetUnsuitableError(
      `the dump holds a row of ${dump.database.largestStatement} bytes, the server takes ${packet}: raise max_allowed_packet to at least ${2 ** Math.ceil(Math.log2(dump.database.largestStatement + 1))}`,
    );
  return session;
};

/**
 * Removes a schema that this program made to load a dump into. Absent is fine.
 *
 * @throws {TargetNotEmptyError} refused: it holds something, and no sign that a load of ours put it there
 */
export const dropLoaded = async (control: DatabaseConnection, schema: string): Promise<void> => {
  const held = await control.rows(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?
     UNION ALL SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?
     UNION ALL SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`,
    [schema, schema, schema],
  );
  if (held.length > 0 && !held.some((row) => row.name === progressTable))
    throw new TargetNotEmptyError(
      `schema ${schema} is to be removed for the next load, and holds ${held.length} things that no load of this program put there: look what it is, and move it or drop the schema yourself`,
    );
  await withSchemaRight(control, schema, () => control.run(`DROP DATABASE IF EXISTS ${quoteName(schema)}`));
};

/** Removes what a load keeps to be able to go on. Safe to repeat; from now on the schema counts as anybody's. */
export const forgetLoad = async (access: DatabaseAccess): Promise<void> => {
  await using control = await connect(access);
  await control.run(`DROP TABLE IF EXISTS ${progressTable}`);
};
