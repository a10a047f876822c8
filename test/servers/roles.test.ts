import { connect } from "@openemr-ops/database/connection";
import { describeSource, type SourceDescription } from "@openemr-ops/database/describeSource";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { describe, expect, it } from "vitest";
import { accessOf, type FreshSchema, freshSchema } from "../support/database.ts";

/** How the schema looks to a dump user that has its rights by a role, which is active when it logs in. */
const seenBy = async (schema: FreshSchema, rights: string): Promise<SourceDescription> => {
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
    return await describeSource(connection, name);
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

  expect((await seenBy(schema, rights)).hidden).toEqual(hidden);
});

/** Rights that a dump user has by roles, with the statements that take them away. */
const excessBy = async (schema: FreshSchema, roles: readonly string[], statements: readonly string[]) => {
  const { name, dumpUser } = schema;
  await schema.query("CREATE TABLE t (a INT PRIMARY KEY)");
  for (const role of roles) await schema.query(`CREATE ROLE ${role}`);
  try {
    for (const statement of statements) await schema.query(statement);
    await using connection = await connect(accessOf(schema, dumpUser));
    return (await describeSource(connection, name)).excess;
  } finally {
    for (const role of roles) await schema.query(`DROP ROLE ${role}`);
  }
};

describe("a dump user that may change rows by a role", () => {
  it.each([{ active: true }, { active: false }])(
    "is found, whether the role is active: $active",
    async ({ active }) => {
      await using schema = await freshSchema();
      const { name, product, dumpUser } = schema;
      const [user, role] = [`${sqlName(dumpUser.user)}@'%'`, sqlName(`${name}_r`)];
      const byDefault = product === "MySQL" ? "TO" : "FOR";

      const excess = await excessBy(
        schema,
        [role],
        [
          `GRANT SELECT, INSERT ON ${sqlName(name)}.* TO ${role}`,
          `GRANT ${role} TO ${user}`,
          ...(active ? [`SET DEFAULT ROLE ${role} ${byDefault} ${user}`] : []),
        ],
      );

      expect(excess).toMatchObject([{ rights: ["INSERT"], on: `${sqlName(name)}.*` }]);
      const written = product === "MySQL" ? `${role}@\`%\`` : role;
      expect(excess.map(({ revoke }) => revoke)).toEqual([`REVOKE INSERT ON ${sqlName(name)}.* FROM ${written}`]);
    },
  );

  it("is found where the role has another role", async () => {
    await using schema = await freshSchema();
    const { name, dumpUser } = schema;
    const [user, outer, inner] = [`${sqlName(dumpUser.user)}@'%'`, sqlName(`${name}_o`), sqlName(`${name}_i`)];

    const excess = await excessBy(
      schema,
      [outer, inner],
      [`GRANT DELETE ON ${sqlName(name)}.t TO ${inner}`, `GRANT ${inner} TO ${outer}`, `GRANT ${outer} TO ${user}`],
    );

    expect(excess).toMatchObject([{ rights: ["DELETE"], on: `${sqlName(name)}.\`t\`` }]);
  });

  it("is not where its roles only read", async () => {
    await using schema = await freshSchema();
    const { name, dumpUser } = schema;
    const [user, role] = [`${sqlName(dumpUser.user)}@'%'`, sqlName(`${name}_r`)];
    const grants = [`GRANT SELECT ON ${sqlName(name)}.* TO ${role}`, `GRANT ${role} TO ${user}`];

    expect(await excessBy(schema, [role], grants)).toEqual([]);
  });
});
