import { randomBytes } from "node:crypto";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { type MariaDbAddress, type Row, sqlName, sqlString } from "@openemr-ops/local/servers/mariadb";
import mysql from "mysql2/promise";
import { inject } from "vitest";

/** A database user of one schema. The password holds every character that careless quoting breaks on. */
export interface SchemaUser {
  readonly user: string;
  readonly password: string;
}

/** A schema of a test's own on the shared server. */
export interface FreshSchema extends MariaDbAddress {
  readonly name: string;
  /** May do what a dump needs and no more: SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT on this schema, and see its routines. */
  readonly dumpUser: SchemaUser;
  /** May do everything in this schema and in schemas named `<name>_…`, nothing elsewhere. */
  readonly restoreUser: SchemaUser;
  /** One statement as root with this schema selected. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Removes the schema, those named `<name>_…` and both users. Safe to repeat. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a user reaches the schema, as the program is told. */
export const accessOf = (
  { host, port, name }: Pick<FreshSchema, "host" | "port" | "name">,
  { user, password }: SchemaUser,
): DatabaseAccess => ({ host, port, name, user, password: async () => password, tls: "off" });

/** `_` and `%` are wildcards in a GRANT. */
const grantPattern = (name: string): string => sqlName(name.replaceAll("_", "\\_"));

/**
 * Makes an empty schema, a dump user and a restore user. The caller drops it: `await using schema = await freshSchema()`
 * in a test, `afterAll(() => schema.drop())` for a whole file.
 *
 * @param address the server; the shared one unless a test has its own
 */
export const freshSchema = async (address: MariaDbAddress = inject("mariadb")): Promise<FreshSchema> => {
  const { host, port, user, password } = address;
  const name = `t${randomBytes(5).toString("hex")}`;
  const admin = await mysql.createConnection({ host, port, user, password });
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
  await admin.query(`GRANT SELECT ON mysql.proc TO ${sqlName(dumpUser.user)}@'%'`);
  await admin.query(`GRANT ALL PRIVILEGES ON ${grantPattern(name)}.* TO ${sqlName(restoreUser.user)}@'%'`);
  await admin.query(`GRANT ALL PRIVILEGES ON ${sqlName(`${name}\\_%`)}.* TO ${sqlName(restoreUser.user)}@'%'`);
  await admin.end();

  const pool = mysql.createPool({ host, port, user, password, database: name, dateStrings: true });
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
  return {
    ...address,
    name,
    dumpUser,
    restoreUser,
    query: async (sql, values = []) => {
      const [rows] = await pool.query(sql, [...values]);
      return Array.isArray(rows) ? (rows as Row[]) : [];
    },
    drop,
    [Symbol.asyncDispose]: drop,
  };
};
