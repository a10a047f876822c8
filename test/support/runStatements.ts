import type { ServerAddress } from "@openemr-ops/local/servers/databaseServer";
import mysql from "mysql2/promise";

/**
 * Runs statements one after another over one connection as root, in UTC and without strict mode as OpenEMR itself has it:
 * zero dates and values out of range go in. A row number 0 is a row number 0.
 *
 * @param charset what the client speaks; the statements are sent in it
 */
export const runStatements = async (
  { product, socket, user, password }: Pick<ServerAddress, "product" | "socket" | "user" | "password">,
  database: string,
  statements: Iterable<string>,
  charset = "utf8mb4",
): Promise<void> => {
  const connection = await mysql.createConnection({ socketPath: socket, user, password, database, charset });
  try {
    await connection.query("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', foreign_key_checks = 0");
    if (product === "MariaDB") await connection.query("SET check_constraint_checks = 0");
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
};
