import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { type Row, type ServerAddress, sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import mysql from "mysql2/promise";
import { inject } from "vitest";

/** A database user of one schema. The password holds every character that careless quoting breaks on. */
export interface SchemaUser {
  readonly user: string;
  readonly password: string;
}

/** A schema of a test's own on the shared server. */
export interface FreshSchema extends ServerAddress {
  readonly name: string;
  /** May do what a dump needs and no more: SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT on this schema, and see its routines. */
  readonly dumpUser: SchemaUser;
  /** May do everything in this schema and in schemas named `<name>_…`, nothing elsewhere. */
  readonly restoreUser: SchemaUser;
  /** One statement as root with this schema selected. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Statements of one of its users, over one connection, as that user would send them. */
  as(user: SchemaUser, statements: readonly string[]): Promise<void>;
  /** Removes the schema, those named `<name>_…` and both users. Safe to repeat. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a user reaches the schema, as the program is told. */
export const accessOf = (
  { host, port, name, caFile }: Pick<FreshSchema, "host" | "port" | "name" | "caFile">,
  { user, password }: SchemaUser,
): DatabaseAccess => ({ host, port, name, user, password: async () => password, ...tlsOf({ caFile }) });

/** What the configuration says of TLS, for the server as it is. */
export const tlsOf = ({ caFile }: { readonly caFile?: string | undefined }) =>
  caFile === undefined ? ({ tls: "off" } as const) : ({ tls: "verify", caFile } as const);

/** The right that shows routines of others. The table that MariaDB keeps them in is not MySQL's. */
export const seeRoutines = (product: ServerAddress["product"]): string =>
  product === "MySQL" ? "SHOW_ROUTINE ON *.*" : "SELECT ON mysql.proc";

/** `_` and `%` are wildcards in a GRANT. */
const grantPattern = (name: string): string => sqlName(name.replaceAll("_", "\\_"));

/**
 * Makes an empty schema, a dump user and a restore user. The caller drops it: `await using schema = await freshSchema()`
 * in a test, `afterAll(() => schema.drop())` for a whole file.
 *
 * @param address the server; the shared one unless a test has its own
 */
export const freshSchema = async (address: ServerAddress = inject("server")): Promise<FreshSchema> => {
  const { product, socket, user, password } = address;
  const name = `t${randomBytes(5).toString("hex")}`;
  const admin = await mysql.createConnection({ socketPath: socket, user, password });
  const makeUser = async (suffix: string): Promise<SchemaUser> => {
    const made = { user: `${name}_${suffix}`, password: `a'b"c\\d $#;=é${randomBytes(6).toString("hex")}` };
    await admin.query(`CREATE USER ${sqlName(made.user)}@'%' IDENTIFIED BY ${sqlString(made.password)}`);
    return made;
  };
  await admin.query(`CREATE DATABASE ${sqlName(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
  const dumpUser = await makeUser("dump");
  const restoreUser = await makeUser("restore");
  await admin.query(
    `GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON ${grantPattern(name)}.* TO ${sqlName(dumpUser.user)}@'%'`,
  );
  await admin.query(`GRANT ${seeRoutines(product)} TO ${sqlName(dumpUser.user)}@'%'`);
  await admin.query(`GRANT ALL PRIVILEGES ON ${grantPattern(name)}.* TO ${sqlName(restoreUser.user)}@'%'`);
  await admin.query(`GRANT ALL PRIVILEGES ON ${sqlName(`${name}\\_%`)}.* TO ${sqlName(restoreUser.user)}@'%'`);
  await admin.end();

  const pool = mysql.createPool({ socketPath: socket, user, password, database: name, dateStrings: true });
  let dropped: Promise<void> | undefined;
  const drop = (): Promise<void> => {
    dropped ??= (async () => {
      const [schemas] = await pool.query<mysql.RowDataPacket[]>(
        "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name = ? OR schema_name LIKE ?",
        [name, `${name}\\_%`],
      );
      for (const schema of schemas) await pool.query(`DROP DATABASE ${sqlName(String(schema.name))}`);
      for (const { user } of [dumpUser, restoreUser]) await pool.query(`DROP USER ${sqlName(user)}@'%'`);
      await pool.end();
    })();
    return dropped;
  };
  const as = async (who: SchemaUser, statements: readonly string[]): Promise<void> => {
    const { host, port, caFile } = address;
    const ssl = caFile === undefined ? {} : { ssl: { ca: readFileSync(caFile) } };
    const connection = await mysql.createConnection({ host, port, ...who, database: name, ...ssl });
    try {
      for (const statement of statements) await connection.query(statement);
    } finally {
      await connection.end();
    }
  };
  return {
    ...address,
    name,
    dumpUser,
    restoreUser,
    as,
    query: async (sql, values = []) => {
      const [rows] = await pool.query(sql, [...values]);
      return Array.isArray(rows) ? (rows as Row[]) : [];
    },
    drop,
    [Symbol.asyncDispose]: drop,
  };
};
