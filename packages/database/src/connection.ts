import { DatabaseFailedError, OpsError } from "@openemr-ops/core/errors";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";
import mysql from "mysql2";
import { type DatabaseAccess, driverTls } from "./access.ts";
import { type ResultField, readBinaryRows, type TakeRow } from "./binaryRows.ts";
import { databaseError } from "./errors.ts";
import { type RawRow, streamRows } from "./rowStream.ts";
import { setVariables, variablesOfInterest } from "./sessionVariables.ts";

export type Row = Record<string, string | null>;

/** One connection. Values come as text, dates as the server writes them. */
export interface DatabaseConnection extends SqlReader, AsyncDisposable {
  /** Variables as the server gave them to the new session, before ours were set: another program's session has them so. */
  readonly given: ReadonlyMap<string, string>;
  rows(sql: string, values?: readonly (string | number)[]): Promise<readonly Row[]>;
  run(sql: string, values?: readonly (string | number)[]): Promise<void>;
  /** Rows of any number, each value the bytes that the server sent; no more than a row and a megabyte are in memory. */
  stream(sql: string): AsyncIterable<RawRow>;
  /** Rows of any number in the server's binary form, for whoever makes columns of them; returns how many came. */
  binaryRows(sql: string, taker: (fields: readonly ResultField[]) => TakeRow, signal?: AbortSignal): Promise<number>;
}

const unnamed = (message: string, options?: ErrorOptions) => new DatabaseFailedError(message, options);

/** The driver adds the statement to its error, with the values in it: a password, a row. */
const forgetStatement = (error: unknown): void => {
  if (error instanceof Error && "sql" in error) error.sql = undefined;
};

/** @throws the `Database…Error` family; `doing` begins the message */
const explain = async <Result>(doing: string, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OpsError) throw error;
    forgetStatement(error);
    const { code = "", message = "" } = error as { code?: string; message?: string };
    throw databaseError(doing, `${code} ${message}`, error, unnamed);
  }
};

/** A limit on rows, down to none at all, holds for questions too: it goes first. */
const givenVariables = async (rows: (sql: string) => Promise<readonly Row[]>): Promise<ReadonlyMap<string, string>> => {
  await rows("SET @given_select_limit = @@SESSION.sql_select_limit");
  await rows("SET SESSION sql_select_limit = 18446744073709551615");
  const [limit] = await rows("SELECT @given_select_limit AS value");
  const names = variablesOfInterest.map((name) => `'${name}'`).join(",");
  const found = await rows(`SHOW SESSION VARIABLES WHERE Variable_name IN (${names})`);
  return new Map([
    ...found.map((row) => [row.Variable_name ?? "", row.Value ?? ""] as const),
    ["sql_select_limit", limit?.value ?? ""],
  ]);
};

/** A statement that only looks at rows may take so long; the stream of a dump has its own watch. Seconds. */
const longestLook = 600;

const limitTo = async (connection: DatabaseConnection, seconds: number): Promise<void> => {
  const isMariaDb = connection.given.has("max_statement_time");
  await connection.run(
    isMariaDb ? `SET SESSION max_statement_time = ${seconds}` : `SET SESSION MAX_EXECUTION_TIME = ${seconds * 1000}`,
  );
};

/** Takes the time limit off, for a stream of rows that is watched by how it flows. */
export const withoutTimeLimit = (connection: DatabaseConnection): Promise<void> => limitTo(connection, 0);

/**
 * The same for looking: whatever a statement may turn out to run, it can neither write nor go on for ever. Every transaction
 * of the session is read only, those of single statements too.
 */
export const connectReadOnly = async (
  access: DatabaseAccess,
  database: string | undefined = access.name,
): Promise<DatabaseConnection> => {
  const connection = await connect(access, database);
  try {
    await connection.run("SET SESSION TRANSACTION READ ONLY");
    await limitTo(connection, longestLook);
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
  return connection;
};

/** Waits for an opening, and no longer than until `signal` is aborted. @throws its reason */
const unlessStopped = async <Result>(signal: AbortSignal | undefined, opening: Promise<Result>): Promise<Result> => {
  if (!signal || signal.aborted) return opening;
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([opening, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
};

/**
 * Opens a connection in UTF-8 and UTC with a strict mode of our own, whatever the server gives new sessions; see
 * `sessionVariables.ts`.
 *
 * No text can be two statements, and no answer of the server gets at local files.
 *
 * @param database the schema to use; `undefined` for none
 * @param options.bytes statements come one character a byte (Latin-1), and are sent as these bytes
 */
export const connect = async (
  access: DatabaseAccess,
  database: string | undefined = access.name,
  { bytes = false }: { readonly bytes?: boolean } = {},
): Promise<DatabaseConnection> => {
  const { socket } = access;
  const where = socket === undefined ? `database ${access.host}:${access.port}` : "our own database server";
  const base = mysql.createConnection({
    ...(socket === undefined ? { host: access.host, port: access.port } : { socketPath: socket }),
    user: access.user,
    password: await access.password(),
    ...(database === undefined ? {} : { database }),
    charset: bytes ? "latin1" : "utf8mb4", // how the driver turns a text into bytes
    // LOCAL_FILES: a server could ask for a file of ours in answer to any statement. SESSION_TRACK: the driver would
    // turn texts into other bytes as soon as a statement changes the session's character set.
    flags: ["-LOCAL_FILES", ...(bytes ? ["-SESSION_TRACK"] : [])],
    multipleStatements: false,
    connectTimeout: 10_000,
    keepAliveInitialDelay: 10_000, // a peer that is gone is noticed within seconds, not hours
    typeCast: false,
    ...driverTls(access),
  });
  base.on("error", () => {}); // the next statement reports it
  const connection = base.promise();
  const query = (sql: string, values?: readonly (string | number)[]) =>
    explain(where, () =>
      connection.query({ sql, typeCast: (field) => field.string("utf8"), ...(values ? { values: [...values] } : {}) }),
    );
  const open = async (): Promise<ReadonlyMap<string, string>> => {
    await explain(where, () => connection.connect());
    const variables = await givenVariables(async (sql) => (await query(sql))[0] as Row[]);
    await query("SET NAMES utf8mb4");
    await query(setVariables(variables));
    return variables;
  };
  const given = await unlessStopped(access.signal, open()).catch((error: unknown) => {
    base.destroy();
    throw error;
  });
  return {
    given,
    rows: async (sql, values) => (await query(sql, values))[0] as Row[],
    run: async (sql, values) => void (await query(sql, values)),
    stream: async function* (sql) {
      try {
        yield* streamRows(base, sql);
      } catch (error) {
        forgetStatement(error);
        const { code = "", message = "" } = error as { code?: string; message?: string };
        throw databaseError(where, `${code} ${message}`, error, unnamed);
      }
    },
    binaryRows: (sql, taker, signal) => explain(where, () => readBinaryRows(base, sql, taker, signal)),
    [Symbol.asyncDispose]: async () => {
      await Promise.race([
        connection.end().catch(() => {}),
        new Promise((resolve) => setTimeout(resolve, 1000).unref()),
      ]);
      base.destroy();
    },
  };
};
