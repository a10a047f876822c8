import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseAccessDeniedError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { logIn } from "@openemr-ops/database/users/account";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import { storedFile } from "@openemr-ops/files/storedFile";
import { type ServerAddress, sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import type { DatabaseRotation } from "@openemr-ops/rotation/database/rotateDatabase";
import { type FreshSchema, freshSchema, type SchemaUser } from "./database.ts";
import { aSqlconf } from "./sitesTree.ts";

/** An installation whose database user can be rotated: sites, a schema for each, and a secret in a file. */
export interface RotatedInstallation {
  readonly server: ServerAddress;
  readonly directory: string;
  readonly sitesPath: string;
  readonly slotsPath: string;
  readonly schema: FreshSchema;
  /** The user that all sites name at first. */
  readonly app: SchemaUser;
  /** What the run warned of. */
  readonly warnings: string[];
  /** The ports of a rotation by the server's root. */
  rotation(changes?: Partial<DatabaseRotation>): DatabaseRotation;
  root(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Writes a site's `sqlconf.php`. */
  name(site: string, user: SchemaUser, dbname?: string): Promise<void>;
  /** What a site's `sqlconf.php` names. */
  named(site: string): Promise<SchemaUser>;
  /** The texts of the secret, current and pending. */
  texts(): Promise<readonly Readonly<Record<"active_slot" | "A" | "B" | "replaced", unknown>>[]>;
  opens(user: SchemaUser): Promise<boolean>;
  /** At each instant: what every `sqlconf.php` names logs in, and is written down once there is a secret. */
  assertNobodyLockedOut(): Promise<void>;
  /** All as it was at the beginning, with new users. */
  reset(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Builds one.
 *
 * @param options.sites names; each has a schema of its own, which the one user may use
 */
export const aRotation = async (
  server: ServerAddress,
  { sites = ["default"] }: { readonly sites?: readonly string[] } = {},
): Promise<RotatedInstallation> => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-rotation-"));
  const sitesPath = join(directory, "sites");
  const slotsPath = join(directory, "slots.json");
  const schema = await freshSchema(server);
  const dbnameOf = (site: string) => (site === "default" ? schema.name : `${schema.name}_${site}`);
  const app = { user: `${schema.name}app`, password: `a'b\\d $#;é${randomBytes(6).toString("hex")}` };
  const warnings: string[] = [];
  const root = (sql: string) => schema.query(sql);
  const secret = storedFile({ path: slotsPath, field: "installations[0].rotations.database.slots" });

  const tls = server.caFile === undefined ? "off" : "required";
  const accessFor = ({ user, password }: SchemaUser): DatabaseAccess => ({
    host: server.host,
    port: server.port,
    name: schema.name,
    user,
    password: async () => password,
    tls,
  });
  const opens = async (user: SchemaUser) =>
    !((await logIn(accessFor(user), user.password)) instanceof DatabaseAccessDeniedError);
  const named = async (site: string): Promise<SchemaUser> => {
    const { login, pass } = parseSqlconf(await readFile(join(sitesPath, site, "sqlconf.php")));
    return { user: login, password: pass };
  };
  const name = async (site: string, user: SchemaUser, dbname = dbnameOf(site)) => {
    await mkdir(join(sitesPath, site, "documents/certificates"), { recursive: true });
    if (server.caFile) await copyFile(server.caFile, join(sitesPath, site, "documents/certificates/mysql-ca"));
    const content = aSqlconf({ host: server.host, port: server.port, ...user, database: dbname });
    await writeFile(join(sitesPath, site, "sqlconf.php"), content, { mode: 0o600 });
  };
  const texts = async () => (await secret.versions()).map(({ text }) => JSON.parse(text));
  const dropUsers = async () => {
    const users = await root(
      `SELECT User AS user, Host AS host FROM mysql.user WHERE User LIKE ${sqlString(`${schema.name}%`)} AND User NOT IN (${sqlString(schema.dumpUser.user)}, ${sqlString(schema.restoreUser.user)})`,
    );
    for (const { user, host } of users) await root(`DROP USER ${sqlName(String(user))}@${sqlString(String(host))}`);
  };
  const reset = async () => {
    await dropUsers();
    for (const end of ["", ".pending", ".previous"]) await rm(`${slotsPath}${end}`, { force: true });
    await rm(sitesPath, { recursive: true, force: true });
    warnings.length = 0;
    await root(`CREATE USER ${sqlName(app.user)}@'%' IDENTIFIED BY ${sqlString(app.password)}`);
    for (const site of sites) {
      const dbname = dbnameOf(site);
      await root(`CREATE DATABASE IF NOT EXISTS ${sqlName(dbname)}`);
      await root(
        `CREATE TABLE IF NOT EXISTS ${sqlName(dbname)}.globals (gl_name VARCHAR(63) NOT NULL, gl_index INT NOT NULL, gl_value TEXT, PRIMARY KEY (gl_name, gl_index))`,
      );
      await root(`GRANT ALL ON ${sqlName(dbname.replaceAll("_", "\\_"))}.* TO ${sqlName(app.user)}@'%'`);
      await name(site, app);
    }
  };
  await reset();

  return {
    server,
    directory,
    sitesPath,
    slotsPath,
    schema,
    app,
    warnings,
    root,
    name,
    named,
    texts,
    opens,
    reset,
    rotation: (changes = {}) => ({
      slots: secret,
      administrator: accessFor(server),
      sitesPath,
      settleSeconds: 0,
      drainSeconds: 0,
      health: async () => {},
      wait: async () => {},
      newPassword,
      progress: () => {},
      warn: (message) => void warnings.push(message),
      signal: new AbortController().signal,
      now: () => new Date(),
      ...changes,
    }),
    assertNobodyLockedOut: async () => {
      const stored = await texts();
      const logins = stored.flatMap(({ A, B, replaced }) => [A, B, replaced]) as readonly {
        readonly username: string;
        readonly password: string;
      }[];
      for (const site of sites) {
        const user = await named(site);
        if (!(await opens(user))) throw new Error(`site ${site} is locked out: ${user.user} does not log in`);
        const written = logins.some((login) => login?.username === user.user && login.password === user.password);
        const first = user.user === app.user && user.password === app.password;
        if (!written && !first) throw new Error(`the password of ${user.user} is not written down`);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await dropUsers();
      await schema.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
