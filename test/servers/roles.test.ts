import { connect } from "@openemr-ops/database/connection";
import { describeSource } from "@openemr-ops/database/describeSource";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { expect, it } from "vitest";
import { accessOf, type FreshSchema, freshSchema } from "../support/database.ts";

/** What a dump user would not see that has its rights by a role, which is active when it logs in. */
const hiddenBy = async (schema: FreshSchema, rights: string): Promise<readonly string[]> => {
  const { name, product, dumpUser } = schema;
  const user = `${sqlName(dumpUser.user)}@'%'`;
  const role = sqlName(`${name}_role`);
  await schema.query("CREATE TABLE t (a INT PRIMARY KEY)");
  await schema.query(`REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user}`);
  await schema.query(`CREATE ROLE ${role}`);
  try {
    await schema.query(`GRANT SELECT, ${rights} ON ${sqlName(name)}.* TO ${role}`);
    await schema.query(`GRANT ${role} TO ${user}`);
    await schema.query(
      product === "MySQL" ? `SET DEFAULT ROLE ${role} TO ${user}` : `SET DEFAULT ROLE ${role} FOR ${user}`,
    );
    await using connection = await connect(accessOf(schema, dumpUser));
    return (await describeSource(connection, name)).hidden;
  } finally {
    await schema.query(`DROP ROLE ${role}`);
  }
};

it.each([
  { rights: "TRIGGER, EVENT, LOCK TABLES", hidden: ["routines"] },
  { rights: "EVENT", hidden: ["triggers", "routines"] },
  { rights: "TRIGGER", hidden: ["events", "routines"] },
])("says what a user whose role has $rights would not see", async ({ rights, hidden }) => {
  await using schema = await freshSchema();

  expect(await hiddenBy(schema, rights)).toEqual(hidden);
});
