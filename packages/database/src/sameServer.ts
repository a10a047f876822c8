import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseServersDifferError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "./access.ts";
import type { DatabaseConnection } from "./connection.ts";

/** Two servers differ in one of these at least. Each product has some: `aurora_server_id` names an instance of a cluster. */
const identifying = ["aurora_server_id", "datadir", "hostname", "port", "server_id", "server_uid", "server_uuid"];

/** Which server a connection met, as text to compare. */
export const serverOf = async (connection: DatabaseConnection): Promise<string> => {
  const rows = await connection.rows(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${identifying.map((name) => `'${name}'`).join(",")})`,
  );
  return rows
    .map(({ Variable_name, Value }) => `${Variable_name}=${Value}`)
    .sort()
    .join(" ");
};

const differ = ({ host, port }: Pick<DatabaseAccess, "host" | "port">) =>
  new DatabaseServersDifferError(
    `connections to ${host}:${port} met different servers, whose rows are not of one moment: set database.host to the endpoint of one server, such as the writer's`,
  );

/**
 * Makes sure that a connection met the same server as an earlier one of the same dump.
 *
 * @param server what `serverOf` said of the earlier one
 * @throws {DatabaseServersDifferError} retryable
 */
export const assertSameServer = async (
  connection: DatabaseConnection,
  server: string,
  access: DatabaseAccess,
): Promise<void> => {
  if ((await serverOf(connection)) !== server) throw differ(access);
};

/** A program that has printed all leaves the server a moment before it ends. */
const looks = 50;
const pauseMilliseconds = 100;

/**
 * Makes sure that a program with our user's name met this server too: its session is in the server's list, where every
 * user sees his own. One that has already ended cannot be looked for; it printed less than a pipe holds.
 *
 * @param ours identifiers of our own sessions
 * @throws {DatabaseServersDifferError} retryable
 */
export const assertProgramHere = async (
  connection: DatabaseConnection,
  access: DatabaseAccess,
  { ours, hasExited }: { readonly ours: readonly string[]; readonly hasExited: () => boolean },
): Promise<void> => {
  for (let look = 0; look < looks; look++) {
    const sessions = await connection.rows(
      "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = ? AND DB = ? AND ID <> CONNECTION_ID()",
      [access.user, access.name],
    );
    if (sessions.some(({ id }) => !ours.includes(id ?? "")) || hasExited()) return;
    await sleep(pauseMilliseconds);
  }
  throw differ(access);
};

/** The number by which the server's list names a connection. */
export const sessionOf = async (connection: DatabaseConnection): Promise<string> =>
  (await connection.rows("SELECT CONNECTION_ID() AS id"))[0]?.id ?? "";
