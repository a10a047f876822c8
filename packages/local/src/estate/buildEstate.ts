import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { sqlName, sqlString } from "../servers/databaseServer.ts";
import { writeDocuments } from "./documents.ts";
import { loadTable } from "./load.ts";
import { otherObjects, routines as routineStatements } from "./objects.ts";
import { type EstateContents, planEstate } from "./plan.ts";
import { type ApplicationLogin, giveToImageOwner, writeSites } from "./sites.ts";
import { type EstateSize, type EstateSizeChoice, sizeOf } from "./size.ts";
import { estateTables } from "./table.ts";

/** The server that gets the estate's schema, by a user who may create schemas and users there. */
export interface EstateDatabase {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The schema; made when absent, must be empty. */
  readonly name: string;
}

/** A miniature hospital that is ready for use. All its data is synthetic. */
export interface Estate {
  readonly seed: string;
  readonly size: EstateSize;
  /** What to point `sites.path` at. */
  readonly sitesPath: string;
  /** Root-like access for tests; the product gets `dumpLogin`. */
  readonly database: EstateDatabase;
  /** What `sqlconf.php` holds. */
  readonly applicationLogin: ApplicationLogin;
  /** May do what a dump needs and no more: SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT, and see its routines. */
  readonly dumpLogin: ApplicationLogin;
  /** Rows by table, as built. */
  readonly rows: Readonly<Record<string, number>>;
}

/** `_` and `%` are wildcards in a GRANT. */
const grantPattern = (name: string): string => sqlName(name.replaceAll("_", "\\_"));

/**
 * Builds a miniature hospital: a schema modelled on facts about OpenEMR's (tables, columns, types, habits), and a `sites`
 * tree with documents, keys and certificates. The same seed and size give the same rows and files, except for the RSA pair
 * of the OAuth set and the connection in `sqlconf.php`.
 *
 * @param options.directory the `sites` tree is made in it
 * @param options.routines adds a function and a procedure; dumping them takes rights on the whole server
 */
export const buildEstate = async ({
  directory,
  database,
  seed,
  size: choice,
  routines = false,
}: {
  readonly directory: string;
  readonly database: EstateDatabase;
  readonly seed: string;
  readonly size: EstateSizeChoice;
  readonly routines?: boolean;
}): Promise<Estate> => {
  const size = sizeOf(choice);
  const plan = planEstate(seed, size);
  const sitesPath = join(directory, "sites");
  const { host, port, name } = database;
  const secrets = plan.random("logins");
  const login = (user: string): ApplicationLogin => ({
    host,
    port,
    name,
    user,
    password: `${secrets.bytes(15).toString("base64url")}'\\"$`,
  });
  const applicationLogin = login(`${name}_app`);
  const dumpLogin = login(`${name}_backup`);

  await mkdir(join(sitesPath, "default"), { recursive: true, mode: 0o755 });
  await writeSites(plan, sitesPath, applicationLogin);
  const documents = await writeDocuments(plan, join(sitesPath, "default/documents"));
  giveToImageOwner(sitesPath);

  const rows = await loadSchema({ ...plan, documents }, { database, applicationLogin, dumpLogin, routines });
  const { user, password } = database;
  return { seed, size, sitesPath, database: { host, port, user, password, name }, applicationLogin, dumpLogin, rows };
};

const loadSchema = async (
  contents: EstateContents,
  {
    database,
    applicationLogin,
    dumpLogin,
    routines,
  }: {
    database: EstateDatabase;
    applicationLogin: ApplicationLogin;
    dumpLogin: ApplicationLogin;
    routines: boolean;
  },
): Promise<Readonly<Record<string, number>>> => {
  const { host, port, user, password, name } = database;
  const connection = await mysql.createConnection({ host, port, user, password, charset: "utf8mb4" });
  try {
    await connection.query(
      `CREATE DATABASE IF NOT EXISTS ${sqlName(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
    );
    await connection.query(`USE ${sqlName(name)}`);
    for (const { user: who, password: secret } of [applicationLogin, dumpLogin]) {
      await connection.query(`CREATE OR REPLACE USER ${sqlName(who)}@'%' IDENTIFIED BY ${sqlString(secret)}`);
    }
    const applicationUser = `${sqlName(applicationLogin.user)}@'%'`;
    await connection.query(`GRANT ALL PRIVILEGES ON ${grantPattern(name)}.* TO ${applicationUser}`);
    await connection.query(
      `GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT ON ${grantPattern(name)}.* TO ${sqlName(dumpLogin.user)}@'%'`,
    );
    await connection.query(`GRANT SELECT ON mysql.proc TO ${sqlName(dumpLogin.user)}@'%'`);
    // As OpenEMR itself, no strict mode: zero dates go in. A row number 0 is a row number 0.
    await connection.query(
      "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', unique_checks = 0, foreign_key_checks = 0",
    );
    const rows: Record<string, number> = {};
    for (const table of estateTables) rows[table.name] = await loadTable(connection, table, contents);
    const objects = [...otherObjects(applicationUser), ...(routines ? routineStatements(applicationUser) : [])];
    for (const statement of objects) await connection.query(statement);
    return rows;
  } finally {
    await connection.end();
  }
};
