import type { MariaDbAddress } from "@openemr-ops/local/servers/mariadb";
import mysql from "mysql2/promise";

/**
 * Runs statements one after another over one connection as root, in UTC and without strict mode as OpenEMR itself has it:
 * zero dates and values out of range go in. A row number 0 is a row number 0.
 *
 * @param charset what the client speaks; the statements are sent in it
 */
export const runStatements = async (
  { host, port, user, password }: Pick<MariaDbAddress, "host" | "port" | "user" | "password">,
  database: string,
  statements: Iterable<string>,
  charset = "utf8mb4",
): Promise<void> => {
  const connection = await mysql.createConnection({ host, port, user, password, database, charset });
  try {
    await connection.query(
      "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', foreign_key_checks = 0, check_constraint_checks = 0",
    );
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
};
