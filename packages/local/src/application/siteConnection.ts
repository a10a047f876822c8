import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";
import mysql from "mysql2/promise";

/** What a connection's TLS settings are: files in the site's certificates switch it on, as in OpenEMR. */
const tlsOf = async (sitePath: string): Promise<mysql.SslOptions | undefined> => {
  const file = (name: string) =>
    readFile(join(sitePath, "documents/certificates", name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
  const [ca, cert, key] = await Promise.all([file("mysql-ca"), file("mysql-cert"), file("mysql-key")]);
  if (ca === undefined) return undefined;
  return { ca, ...(cert !== undefined && key !== undefined ? { cert, key } : {}) };
};

/** Reads `sqlconf.php` and connects with what it says now. The caller ends the connection. Fails as a page of OpenEMR would. */
export const connectAsSite = async (sitesPath: string): Promise<mysql.Connection> => {
  const sitePath = join(sitesPath, "default");
  const { host, port, login, pass, dbase } = parseSqlconf(await readFile(join(sitePath, "sqlconf.php")));
  const ssl = await tlsOf(sitePath);
  const connection = await mysql.createConnection({
    host,
    port,
    user: login,
    password: pass,
    database: dbase,
    charset: "utf8mb4",
    dateStrings: true,
    ...(ssl === undefined ? {} : { ssl }),
  });
  await connection.query("SET sql_mode = ''");
  return connection;
};

/** The connection as the readers of `packages/openemr` want it: every value as text. */
export const readerOf = (connection: mysql.Connection): SqlReader => ({
  rows: async (sql, values = []) => {
    const [rows] = await connection.query<mysql.RowDataPacket[]>({ sql, typeCast: (field) => field.string() }, [
      ...values,
    ]);
    return rows;
  },
});
