import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "./access.ts";
import type { DatabaseConnection } from "./connection.ts";
import { effectiveGrants, rightsOn } from "./grants.ts";

/** Each keeps a server from being written to; only the last lets some users through. */
const readOnlySettings = ["innodb_read_only", "super_read_only", "read_only"];

/** The rights to write where `read_only` is on, of MariaDB and of MySQL. */
const writersRights = ["ALL PRIVILEGES", "READ_ONLY ADMIN", "SUPER", "CONNECTION_ADMIN"];

/** Settings by which this server only reads. */
const settingsThatAreOn = async (connection: DatabaseConnection): Promise<ReadonlySet<string>> => {
  const names = readOnlySettings.map((name) => `'${name}'`).join(",");
  const rows = await connection.rows(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names})`);
  return new Set(rows.flatMap(({ Variable_name, Value }) => (Value === "OFF" ? [] : [Variable_name ?? ""])));
};

/** Whether InnoDB itself only reads: what changes there comes from another server, past every lock. */
export const isInnoDbReadOnly = async (connection: DatabaseConnection): Promise<boolean> =>
  (await settingsThatAreOn(connection)).has("innodb_read_only");

/**
 * Makes sure that our user may write on this server.
 *
 * @param fields what to set to another server
 * @throws {TargetUnsuitableError} refused: the server is a reader or a replica
 */
export const assertWritable = async (
  connection: DatabaseConnection,
  { host, port, socket }: DatabaseAccess,
  fields: string,
): Promise<void> => {
  if (socket !== undefined) return; // one that we started ourselves
  const on = await settingsThatAreOn(connection);
  const setting = readOnlySettings.find((name) => on.has(name));
  if (setting === undefined) return;
  if (setting === "read_only") {
    const rights = rightsOn(await effectiveGrants(connection), "");
    if (writersRights.some((right) => rights.has(right))) return;
  }
  throw new TargetUnsuitableError(
    `database server ${host}:${port} only reads (${setting}), and nothing can be restored there; nothing was changed. Set ${fields} to the writer's endpoint`,
  );
};
