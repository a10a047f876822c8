import { DatabaseMissingError, SourceLayoutError } from "@openemr-ops/core/errors";
import { connect } from "@openemr-ops/database/connection";
import { describeSource } from "@openemr-ops/database/describeSource";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { expect, it } from "vitest";
import { accessOf, freshSchema } from "../../support/database.ts";
import { runStatements } from "../../support/runStatements.ts";

const described = async (statements: readonly string[], revoked: readonly string[] = []) => {
  await using schema = await freshSchema();
  await runStatements(schema, schema.name, statements);
  for (const right of revoked)
    await schema.query(`REVOKE ${right} ON ${sqlName(schema.name)}.* FROM ${sqlName(schema.dumpUser.user)}@'%'`);
  await using connection = await connect(accessOf(schema, schema.dumpUser));
  return await describeSource(connection, schema.name);
};

it.each<{ what: string; statements: readonly string[]; said: RegExp }>([
  { what: "a table's name with a newline", statements: ["CREATE TABLE `a\nb` (id int)"], said: /name of a table/ },
  { what: "a column's name with a newline", statements: ["CREATE TABLE t (`a\nb` int)"], said: /of a column of t,/ },
  {
    what: "an event at which mariadb-dump stops for ever",
    statements: [
      "CREATE TABLE t (id int)",
      "CREATE EVENT odd ON SCHEDULE AT '2035-01-01 00:00:00' DISABLE DO SET @x = ';;'",
    ],
    said: /event odd holds two semicolons/,
  },
])("refuses $what, and says what to change", async ({ statements, said }) => {
  const outcome = await described(statements).catch((error: unknown) => error);

  expect(outcome).toBeInstanceOf(SourceLayoutError);
  expect(String(outcome)).toMatch(said);
});

it("refuses a schema without tables, for a dump of it would be empty", async () => {
  await expect(described([])).rejects.toThrow(DatabaseMissingError);
});

it("tells tables by key, FLOAT columns and engine, and views in an order in which they can be made", async () => {
  const source = await described([
    "CREATE TABLE plain (b int, a int, PRIMARY KEY (a, b))",
    "CREATE TABLE inexact (f float, g float AS (f + 1), v varbinary(3)) ENGINE=Aria",
    "CREATE VIEW z AS SELECT a FROM plain",
    "CREATE VIEW a AS SELECT a FROM z",
    "CREATE VIEW lost AS SELECT b FROM plain",
    "ALTER TABLE plain RENAME COLUMN b TO c",
  ]);

  expect(source.tables).toEqual([
    {
      name: "inexact",
      engine: "Aria",
      sequence: false,
      keyed: false,
      primaryKey: [],
      exactColumns: [
        { name: "f", kind: "float", sentAsStored: false },
        { name: "v", kind: "binary", sentAsStored: true },
      ],
    },
    { name: "plain", engine: "InnoDB", sequence: false, keyed: true, primaryKey: ["a", "c"] },
  ]);
  expect([source.views, source.brokenViews]).toEqual([["z", "a"], ["lost"]]);
});

it.each([
  { rights: "all rights", revoked: [], hidden: [] },
  { rights: "no right TRIGGER", revoked: ["TRIGGER"], hidden: ["triggers"] },
  { rights: "no right EVENT", revoked: ["EVENT"], hidden: ["events"] },
])("says what a user with $rights would not see", async ({ revoked, hidden }) => {
  const source = await described(["CREATE TABLE t (id int)"], revoked);

  expect(source.hidden).toEqual(hidden);
});
