import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { hashPassword } from "@openemr-ops/openemr/passwordHash";
import { rewriteSqlconf } from "@openemr-ops/openemr/sqlconf";
import type { Clinic } from "./aClinic.ts";

const tables: Readonly<Record<string, string>> = {
  users: "id BIGINT PRIMARY KEY, username VARCHAR(255), password LONGTEXT, active TINYINT(1) NOT NULL DEFAULT 1",
  groups: "id BIGINT PRIMARY KEY, name LONGTEXT, user LONGTEXT",
  users_secure: "id BIGINT PRIMARY KEY, username VARCHAR(255), password VARCHAR(255), last_update_password DATETIME",
};

/**
 * Gives a clinic what rotations work on: an OpenEMR that logs in, an administrator of the server, a person who logs in.
 *
 * @returns the section of the configuration
 */
export const makeRotatable = async ({ schema, sitesPath, directory }: Clinic) => {
  const user = `${schema.name}_adm`;
  const password = "canary-administrator-Aa1";
  await schema.query(`CREATE USER ${sqlName(user)}@'%' IDENTIFIED BY ${sqlString(password)}`);
  await schema.query(`GRANT ALL PRIVILEGES ON *.* TO ${sqlName(user)}@'%' WITH GRANT OPTION`);
  await writeFile(join(directory, "admin.password"), `${password}\n`, { mode: 0o600 });
  const [login, pass] = [`${schema.name}_app`, "canary's application\\"];
  await schema.query(`CREATE USER ${sqlName(login)}@'%' IDENTIFIED BY ${sqlString(pass)}`);
  await schema.query(`GRANT ALL PRIVILEGES ON ${sqlName(schema.name)}.* TO ${sqlName(login)}@'%'`);
  const sqlconf = join(sitesPath, "default/sqlconf.php");
  const written = rewriteSqlconf(await readFile(sqlconf), { host: schema.host, port: schema.port, login, pass });
  await rm(sqlconf);
  await writeFile(sqlconf, written, { mode: 0o400 });
  for (const [name, columns] of Object.entries(tables)) await schema.query(`CREATE TABLE \`${name}\` (${columns})`);
  await schema.query("INSERT INTO users VALUES (1, 'admin', 'NoLongerUsed', 1)");
  await schema.query("INSERT INTO `groups` VALUES (1, 'Default', 'admin')");
  const person = "Canary-Person-1";
  await schema.query("INSERT INTO users_secure VALUES (1, 'admin', ?, NOW())", [await hashPassword(person, 4)]);
  const secret = JSON.stringify({ username: "admin", password: person });
  await writeFile(join(directory, "oe-admin.json"), secret, { mode: 0o600 });
  return {
    rotations: {
      database: { slots: "slots.json", administrator: { user, passwordFile: "admin.password" } },
      admin: { secret: "oe-admin.json", user: "admin" },
      master: {},
      smtp: {
        iamUser: "ses-smtp-user",
        secret: "smtp.json",
        region: "eu-central-1",
        testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
      },
      redeploy: { command: ["false"] },
    },
    remove: async () => {
      for (const made of [user, login]) await schema.query(`DROP USER IF EXISTS ${sqlName(made)}@'%'`);
    },
  };
};
