import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareUsers } from "@openemr-ops/database/users/prepareUsers";
import { type DatabaseServer, sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { startMySql } from "@openemr-ops/local/servers/mysql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessOf } from "../../support/database.ts";
import { userSecrets, wantedUsers } from "../../support/wantedUsers.ts";

/** Source: Amazon RDS user guide, "Master user account privileges": they come by a role, and SUPER is not among them. */
const ofMaster =
  "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER";
const password = "of-the-master-77af";

let directory: string;
let server: DatabaseServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-master-"));
  server = await startMySql({ directory, tls: true });
  await server.createSchema("openemr");
  await server.query("CREATE ROLE rds_superuser_role");
  await server.query(`GRANT ${ofMaster} ON *.* TO rds_superuser_role WITH GRANT OPTION`);
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

let count = 0;
/** Prepares users of their own as an administrator with a role; answers what the users lack, and what they have. */
const preparedBy = async (role: string) => {
  const admin = `admin${++count}`;
  await server.query(`CREATE USER ${admin} IDENTIFIED BY ${sqlString(password)}`);
  await server.query(`GRANT ${role} TO ${admin} WITH ADMIN OPTION`);
  await server.query(`SET DEFAULT ROLE ${role} TO ${admin}`);
  const administrator = accessOf({ ...server, name: "openemr" }, { user: admin, password });
  const users = { server, schema: "openemr", dump: `dump${count}`, restore: `restore${count}` };
  const found = await prepareUsers(wantedUsers(users, userSecrets(), { administrator }));
  const grants = async (user: string) =>
    (await server.query(`SHOW GRANTS FOR ${sqlName(user)}`)).map((row) => String(Object.values(row)[0]));
  return {
    lacks: found.map(({ lacks }) => lacks),
    dump: await grants(users.dump),
    restore: await grants(users.restore),
  };
};

describe("the master user of a managed server", () => {
  it("makes both users with all of their rights", async () => {
    const { lacks, dump, restore } = await preparedBy("rds_superuser_role");
    expect(lacks).toEqual([[], []]);
    expect(dump).toEqual([
      "GRANT USAGE ON *.* TO `dump1`@`%`",
      "GRANT SHOW_ROUTINE ON *.* TO `dump1`@`%`",
      "GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON `openemr`.* TO `dump1`@`%`",
    ]);
    expect(restore).toEqual([
      "GRANT USAGE ON *.* TO `restore1`@`%`",
      "GRANT ALL PRIVILEGES ON `openemr`.* TO `restore1`@`%`",
      "GRANT ALL PRIVILEGES ON `openemr\\_%`.* TO `restore1`@`%`",
    ]);
  });

  it("grants no pattern where the server takes names literally", async () => {
    await server.query("SET GLOBAL partial_revokes = ON");
    try {
      const { lacks, restore } = await preparedBy("rds_superuser_role");
      expect(lacks).toEqual([[], []]);
      expect(restore.slice(1)).toEqual(["GRANT ALL PRIVILEGES ON `openemr`.* TO `restore2`@`%`"]);
    } finally {
      await server.query("SET GLOBAL partial_revokes = OFF");
    }
  });
});

it("an administrator who may not grant SHOW_ROUTINE makes them too, and it is said what dumps lack", async () => {
  await server.query("CREATE ROLE of_one_schema");
  for (const grant of ["CREATE USER ON *.*", "SELECT ON mysql.*"])
    await server.query(`GRANT ${grant} TO of_one_schema`);
  for (const schema of ["openemr", "openemr\\_%"])
    await server.query(`GRANT ALL PRIVILEGES ON ${sqlName(schema)}.* TO of_one_schema WITH GRANT OPTION`);

  const { lacks, dump } = await preparedBy("of_one_schema");
  expect(lacks).toEqual([["dumps contain no stored functions and procedures"], []]);
  expect(dump).toHaveLength(2);
});
