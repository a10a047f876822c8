import { LoadFailedError, type OpsError } from "@openemr-ops/core/errors";
import { type Child, startChild } from "../child.ts";
import { clientArguments, clientEnvironment, type DatabaseAccess } from "./access.ts";
import { databaseError } from "./errors.ts";

const session =
  "SET NAMES utf8mb4; SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, unique_checks = 0, autocommit = 0 /*M!100201 , check_constraint_checks = 0 */;\n";

/** What the end of a client means; `said` is its standard error. */
export const loadError = (doing: string, said: string): OpsError => {
  // The server's text may quote values of rows; its number and state say enough.
  const [, number, state] = /ERROR (\d+) \((\w+)\)/.exec(said) ?? [];
  const words = number ? `server error ${number} (${state})` : (said.split("\n")[0] ?? "");
  return databaseError(doing, words, undefined, (message) => new LoadFailedError(message));
};

/** Starts MariaDB's client on a schema, in a session that takes a dump's statements as they are. */
export const startLoadClient = (
  access: DatabaseAccess,
  { mariadb, signal }: { readonly mariadb: string; readonly signal: AbortSignal },
): Child => {
  const child = startChild(
    mariadb,
    [
      ...clientArguments(access),
      "--batch",
      "--skip-column-names",
      "--unbuffered",
      "--comments",
      "--binary-mode", // bodies keep their CR LF, and no text of theirs is a command to the client
      "--max-allowed-packet=1G",
      access.name,
    ],
    { environment: clientEnvironment(access), signal },
  );
  child.stdin.write(session);
  return child;
};

/**
 * Loads routines, triggers, views and events from their SQL, which drops each before it makes it: safe to repeat.
 *
 * @throws {LoadFailedError} fatal
 */
export const loadPrograms = async (
  access: DatabaseAccess,
  sql: Buffer,
  settings: { readonly mariadb: string; readonly signal: AbortSignal },
): Promise<void> => {
  const child = startLoadClient(access, settings);
  child.stdout.resume();
  child.stdin.end(sql);
  const end = await child.ended;
  settings.signal.throwIfAborted();
  if (end.code !== 0)
    throw loadError(
      "loading routines, triggers and views",
      end.errors || `the client ended by ${end.signal ?? `status ${end.code}`}`,
    );
};
