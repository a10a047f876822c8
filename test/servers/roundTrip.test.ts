import { join } from "node:path";
import { compareRestored } from "@openemr-ops/dumps/steps/compare";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FreshSchema, freshSchema } from "../support/database.ts";
import { aWorkDirectory } from "../support/dumpContext.ts";
import {
  latin1Programs,
  latin1ProgramsOfMySql,
  oddPrograms,
  oddTables,
  oddTablesOfMySql,
} from "../support/oddSchema.ts";
import { type RoundTrip, roundTrip } from "../support/roundTrip.ts";
import { runStatements } from "../support/runStatements.ts";
import { type SchemaImage, schemaImage } from "../support/schemaImage.ts";
import { aSite } from "../support/sitesTree.ts";

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
let schema: FreshSchema;
let trip: RoundTrip;
let before: SchemaImage;
/** The source when it was dumped: the definer of some programs is gone, and views of his no longer work. */
let dumped: SchemaImage;
let after: SchemaImage;

beforeAll(async () => {
  work = await aWorkDirectory();
  await aSite(join(work.path, "sites"));
  schema = await freshSchema();
  // What a dump user needs besides where others made routines: to see them.
  const dumpUser = `${sqlName(schema.dumpUser.user)}@'%'`;
  await schema.query(`GRANT EXECUTE ON ${sqlName(schema.name)}.* TO ${dumpUser}`);
  const onMySql = schema.product === "MySQL";
  await runStatements(schema, schema.name, [...(onMySql ? oddTablesOfMySql : oddTables), ...oddPrograms]);
  await runStatements(schema, schema.name, onMySql ? latin1ProgramsOfMySql : latin1Programs, "latin1_swedish_ci");
  before = await schemaImage(schema, schema.name);
  await schema.query("DROP USER 'gone'@'%'");
  dumped = await schemaImage(schema, schema.name);
  trip = await roundTrip({ schema, sitesPath: join(work.path, "sites"), directory: work.path });
  after = await schemaImage(schema, trip.restored.name);
}, 120_000);
afterAll(async () => {
  await schema.drop();
  await work.remove();
});

const brokenViews = ["broken", "m_also_broken"];
const sound = <Value>(objects: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(objects).filter(([name]) => !brokenViews.includes(name)));

describe("a schema with everything odd that real ones have", () => {
  it("comes back with every row", () => {
    expect(Object.keys(after.rows).sort()).toEqual(Object.keys(sound(before.rows)).sort());
    expect(after.rows).toEqual(sound(before.rows));
  });
  it("comes back with every structure, next number and view", () => {
    expect(after.created).toEqual(sound(before.created));
  });
  it("comes back with every trigger, in their order and with their bytes", () => {
    expect(after.triggers).toEqual(before.triggers);
  });
  it("comes back with every routine", () => {
    expect(after.routines).toEqual(before.routines);
  });
  it("comes back with every event", () => {
    expect(after.events).toEqual(before.events);
  });
  it("comes back the same where all keys that can wait are made when the rows are in", async () => {
    const { context, manifest } = trip;
    const [intoDatabase, intoSites] = [`${schema.name}_later`, join(work.path, "later")];
    const later = { ...context, deferKeysFrom: 0 };
    const verdict = await restoreDump(later, { dump: manifest.dumpId, intoDatabase, intoSites });

    expect(verdict.verdict).toBe("passed");
    const { rows, created } = await schemaImage(schema, intoDatabase);
    expect(rows).toEqual(sound(before.rows));
    expect(created).toEqual(sound(before.created));
  });
  it("passes, having been compared", () => {
    expect(trip.verdict.verdict).toBe("passed");
    expect(trip.verdict.tableDigests.every(({ equal }) => equal)).toBe(true);
  });
  it("leaves the source as it was", async () => {
    expect(await schemaImage(schema, schema.name)).toEqual(dumped);
  });
  it("says which views were broken, and which tables have no snapshot", () => {
    const said = trip.manifest.warnings.map(({ code, message }) => `${code}: ${message}`).join("\n");

    for (const view of brokenViews) expect(said).toContain(view);
    expect(said).toMatch(/tables-without-snapshot: .*MyISAM/);
  });
});

describe("a restored copy that was changed afterwards", () => {
  const change = (statements: readonly string[]) => runStatements(schema, trip.restored.name, statements);
  const differences = async () =>
    (await compareRestored(trip.context, trip.restored, trip.sites, trip.manifest)).differences.map(
      ({ kind, subject }) => `${kind} ${subject}`,
    );

  it.each<{ what: string; change: readonly string[]; back: readonly string[]; found: string }>([
    {
      what: "one letter of a value",
      change: ["UPDATE named_key SET v = 8 WHERE name = 'ß'"],
      back: ["UPDATE named_key SET v = 7 WHERE name = 'ß'"],
      found: "table named_key",
    },
    {
      what: "a value's letter case",
      change: ["UPDATE no_key_plain SET b = 'C' WHERE a = 3"],
      back: ["UPDATE no_key_plain SET b = 'c' WHERE a = 3"],
      found: "table no_key_plain",
    },
    {
      what: "a FLOAT by its last bit",
      change: ["UPDATE `a``b$ ünï 漢 ('\"\\\\%_*?)` SET f = 98.60002"],
      back: ["UPDATE `a``b$ ünï 漢 ('\"\\\\%_*?)` SET f = 98.60001"],
      found: "table a`b$ ünï 漢 ('\"\\\\%_*?)",
    },
    {
      what: "a value of the first row of a table with an INVISIBLE column",
      change: ["UPDATE partly_seen SET hidden = 8 WHERE id = 1"],
      back: ["UPDATE partly_seen SET hidden = 9 WHERE id = 1"],
      found: "table partly_seen",
    },
    {
      what: "two digits of a FLOAT swapped",
      change: ["UPDATE isam SET v = 9.87654231 WHERE id = 9"],
      back: ["UPDATE isam SET v = 9.87654321 WHERE id = 9"],
      found: "table isam",
    },
    {
      what: "a row less",
      change: ["DELETE FROM many WHERE id = 6000"],
      back: ["INSERT INTO many VALUES (6000, concat(repeat('x', 150), 6000), 6000 % 13)"],
      found: "table many",
    },
    {
      what: "one of two equal rows less",
      change: ["DELETE FROM many_alike WHERE n = 3 LIMIT 1"],
      back: ["INSERT INTO many_alike VALUES (3, repeat('y', 150))"],
      found: "table many_alike",
    },
    {
      what: "values swapped between two rows without a key",
      change: ["UPDATE no_key_plain SET a = 5 - a WHERE a IN (2, 3)"],
      back: ["UPDATE no_key_plain SET a = 5 - a WHERE a IN (2, 3)"],
      found: "table no_key_plain",
    },
    {
      what: "NULL where an empty text was",
      change: ["UPDATE no_key_plain SET b = '' WHERE a = 2"],
      back: ["UPDATE no_key_plain SET b = NULL WHERE a = 2"],
      found: "table no_key_plain",
    },
    {
      what: "a row more in a table that was empty",
      change: ["INSERT INTO empty_two VALUES (1)"],
      back: ["DELETE FROM empty_two"],
      found: "table empty_two",
    },
    {
      what: "another column",
      change: ["ALTER TABLE empty_two ADD v int"],
      back: ["ALTER TABLE empty_two DROP v"],
      found: "structure empty_two",
    },
    {
      what: "a key less",
      change: ["ALTER TABLE many DROP KEY both_"],
      back: ["ALTER TABLE many ADD KEY both_ (n, v)"],
      found: "structure many",
    },
    {
      what: "a table more",
      change: ["CREATE TABLE another (id int)"],
      back: ["DROP TABLE another"],
      found: "table another",
    },
    {
      what: "a table less",
      change: ["RENAME TABLE many_exact TO elsewhere"],
      back: ["RENAME TABLE elsewhere TO many_exact"],
      found: "table many_exact",
    },
    {
      what: "a trigger less",
      change: ["DROP TRIGGER counting"],
      back: ["CREATE TRIGGER counting BEFORE INSERT ON no_key FOR EACH ROW SET NEW.a = NEW.a + 1000"],
      found: "programs triggers",
    },
  ])("is found by the part that differs: $what", async ({ change: statements, back, found }) => {
    await change(statements);
    const told = await differences();
    await change(back);

    expect(told.filter((difference) => difference !== "table elsewhere")).toEqual([found]);
  });

  it("is equal again when the changes are taken back", async () => {
    expect(await differences()).toEqual([]);
  });
});
