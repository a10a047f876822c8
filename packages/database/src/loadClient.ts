import { LoadFailedError, type OpsError } from "@openemr-ops/core/errors";
import { type Child, startChild } from "@openemr-ops/files/child";
import { clientArguments, clientEnvironment, type DatabaseAccess } from "./access.ts";
import { connect, type DatabaseConnection } from "./connection.ts";
import { databaseError, sayable } from "./errors.ts";
import { programStatements } from "./programStatements.ts";
import { assertMayMakePrograms } from "./replaceable.ts";
import type { ProgramSection } from "./sqlScanner.ts";

const dumpSession =
  "SET NAMES utf8mb4; SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, unique_checks = 0, autocommit = 0, completion_type = 0, sql_safe_updates = 0, wait_timeout = 31536000, net_read_timeout = 86400 /*M!100201 , check_constraint_checks = 0, max_statement_time = 0 */ /*M!100301 , idle_transaction_timeout = 0, idle_write_transaction_timeout = 0 */;\n";

/** What the end of a client means; `said` is its standard error. */
export const loadError = (doing: string, said: string): OpsError =>
  databaseError(doing, sayable(said), undefined, (message) => new LoadFailedError(message));

/** Starts MariaDB's client on a schema, in a session that takes a dump's statements as they are. */
export const startLoadClient = async (
  access: DatabaseAccess,
  {
    mariadb,
    signal,
    session = [],
  }: { readonly mariadb: string; readonly signal: AbortSignal; readonly session?: readonly string[] },
): Promise<Child> => {
  const child = startChild(
    mariadb,
    [
      ...clientArguments(access),
      "--batch",
      "--skip-column-names",
      "--unbuffered",
      "--comments",
      "--binary-mode", // no text is a command to the client
      "--loose-sandbox", // nor reaches files or programs; a client without the switch passes it over
      "--local-infile=0",
      "--max-allowed-packet=1G",
      access.name,
    ],
    { environment: await clientEnvironment(access), signal },
  );
  child.stdin.write([dumpSession, ...session.map((statement) => `${statement};\n`)].join(""));
  return child;
};

/** Modes that no body of a program heeds, and that some servers do not have. */
const idleModes =
  /\b(?:NO_AUTO_CREATE_USER|NO_FIELD_OPTIONS|NO_KEY_OPTIONS|NO_TABLE_OPTIONS|IGNORE_BAD_TABLE_OPTIONS)\b/g;
const setsMode = /^(?:\/\*!\d{5} )?SET sql_mode\b/i;

/** Runs one; a mode that means nothing to it is left out where the server does not know it. */
const runProgramStatement = async (connection: DatabaseConnection, statement: string): Promise<void> => {
  try {
    await connection.run(statement);
  } catch (error) {
    const { errno } = ((error as Error).cause ?? {}) as { readonly errno?: number };
    if (errno !== 1231 || !setsMode.test(statement)) throw error;
    await connection.run(statement.replace(idleModes, "").replace(/,{2,}/g, ",").replace(/',|,'/g, "'"));
  }
};

/** What a statement of a program makes or removes, and its name as far as it holds no quote. */
const madeBy = /\b(VIEW|TRIGGER|FUNCTION|PROCEDURE|PACKAGE BODY|PACKAGE|EVENT)\s+(?:IF (?:NOT )?EXISTS )?`([^`]*)`/;

/** Schemas that a user sees are those where it may do something; what is said of the server itself harms nobody. */
const otherSchemas = async (connection: DatabaseConnection, target: string): Promise<ReadonlySet<string>> => {
  const rows = await connection.rows("SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA");
  const names = rows.map((row) => Buffer.from((row.s ?? "").toLowerCase()).toString("latin1"));
  return new Set(names.filter((name) => name !== target.toLowerCase() && name !== "information_schema"));
};

/**
 * Reads programs as `loadPrograms` will, and makes none: for a caller who cannot go back later.
 *
 * @throws {IntegrityError} the text holds something else than programs, or one reaches into another schema
 */
export const assertPrograms = async (
  access: DatabaseAccess,
  sql: Buffer,
  sections: readonly ProgramSection[],
): Promise<void> => {
  await using connection = await connect(access, "information_schema");
  const others = await otherSchemas(connection, Buffer.from(access.name).toString("latin1"));
  const statements = programStatements(sql.toString("latin1"), sections, others);
  if (statements.some((statement) => /\bFUNCTION\s+`/.test(statement.slice(0, 200))))
    await assertMayMakePrograms(connection, "functions");
};

/**
 * Loads routines, triggers, views and events from their SQL, which drops each before it makes it: safe to repeat. Each
 * statement is sent by itself: where one ends is decided here, and no text of a body can be a second one.
 *
 * @param sections whose programs the text may hold
 * @throws {IntegrityError} before any is made: the text holds something else, or reaches into another schema
 * @throws {LoadFailedError} fatal
 */
export const loadPrograms = async (
  access: DatabaseAccess,
  sql: Buffer,
  { signal, sections }: { readonly signal: AbortSignal; readonly sections: readonly ProgramSection[] },
): Promise<void> => {
  await using connection = await connect(access, access.name, { bytes: true });
  const statements = programStatements(
    sql.toString("latin1"),
    sections,
    await otherSchemas(connection, Buffer.from(access.name).toString("latin1")),
  );
  await connection.run("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
  for (const statement of statements) {
    signal.throwIfAborted();
    await runProgramStatement(connection, statement).catch((error: unknown) => {
      const cause = (error as Error).cause ?? {};
      const { errno, sqlState, sqlMessage } = cause as { errno?: number; sqlState?: string; sqlMessage?: string };
      if (errno === undefined) throw error;
      const what = madeBy.exec(statement.slice(0, 1000));
      const doing = what
        ? `making ${what[1]?.toLowerCase()} ${Buffer.from(what[2] ?? "", "latin1").toString()}`
        : `loading ${sections.join(", ")}`;
      throw loadError(doing, `ERROR ${errno} (${sqlState ?? "HY000"}): ${sqlMessage ?? ""}`);
    });
  }
};
