import { join } from "node:path";
import { sqlScanner } from "@openemr-ops/database/sqlScanner";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { compareRestored, type StoredEvidence } from "@openemr-ops/dumps/steps/compare";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { wholeRows } from "@openemr-ops/dumps/steps/wholeRows";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aClinic, type Clinic, rowsOf } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { runStatements } from "../../support/runStatements.ts";

let clinic: Clinic;
beforeAll(async () => {
  clinic = await aClinic();
});
afterAll(() => clinic.remove());

const typed = `JSON_OBJECT('a', CAST(1.55 AS DECIMAL(5,2)), 'd', CAST('2026-01-02 03:04:05' AS DATETIME), 't', CAST('03:04' AS TIME),
  'b', CAST(X'00ff' AS BINARY), 'n', 18446744073709551615, 'f', 1.5e0)`;

it("says that JSON of MySQL loses types that no text shows, and calls the copy whole", async () => {
  const { schema } = clinic;
  await schema.query("CREATE TABLE plain_json (id INT PRIMARY KEY, j JSON)");
  await schema.query("CREATE TABLE exact_json (id INT PRIMARY KEY, j JSON, f FLOAT)");
  await schema.query(`INSERT INTO plain_json VALUES (1, ${typed})`);
  await schema.query(`INSERT INTO exact_json VALUES (1, ${typed}, 0.1)`);
  const context = await contextFor({ ...clinic, dumps: { format: "portable" } });
  const { dumpId, manifest } = await takeDump(context);

  expect(manifest.warnings).toContainEqual({
    code: "json-types",
    message: expect.stringMatching(/exact_json, plain_json/),
    count: 2,
  });
  expect(await drillDump(context, dumpId)).toMatchObject({ verdict: "passed" });
  const copy = `${schema.name}_copy`;
  const verdict = await restoreDump(context, {
    dump: dumpId,
    intoDatabase: copy,
    intoSites: join(clinic.directory, "copy"),
  });
  expect(verdict).toMatchObject({ verdict: "passed", differences: [] });
  expect(await rowsOf(schema, copy)).toEqual(await rowsOf(schema, schema.name));
  const types = (name: string) =>
    schema.query(`SELECT JSON_TYPE(j->'$.a') AS a, JSON_TYPE(j->'$.d') AS d FROM ${sqlName(name)}.plain_json`);
  expect(await types(schema.name)).toEqual([{ a: "DECIMAL", d: "DATETIME" }]);
  expect(await types(copy)).toEqual([{ a: "DOUBLE", d: "STRING" }]);
});

/** JSON with a DECIMAL, of which no text that is loaded makes one again. */
const decimals = fc
  .tuple(fc.constantFrom("", "-"), fc.bigInt(0n, 10n ** 30n), fc.integer({ min: 0, max: 30 }))
  .map(([sign, digits, places]) => {
    const text = `${digits}`.padStart(places + 1, "0");
    const split = text.length - places;
    return `${sign}${text.slice(0, split)}${places > 0 ? `.${text.slice(split)}` : ""}`;
  });
const awkward = `JSON_ARRAY('1.50', 'it''s "2.50"', '\\\\', 'a\\n', 1.5e300, -0e0, 5, 5e0, NULL, TRUE)`;

it("takes no DECIMAL in JSON for damage, and every value that was changed, also of an earlier dump", {
  timeout: 120_000,
}, async () => {
  const { schema } = clinic;
  const values = fc.sample(decimals, { seed: 3, numRuns: 300 });
  const rows = values.map(
    (value, id) =>
      `(${id}, '${value}', JSON_OBJECT('1.50', CAST(${value} AS DECIMAL(65,30)), 'b', ${awkward}, 'c', CAST(${value} AS DECIMAL(65,${id % 31}))))`,
  );
  const makes = [
    ["zeros", "(id INT PRIMARY KEY, said VARCHAR(80), j JSON)"],
    ["zeros_exact", "(id INT PRIMARY KEY, said VARCHAR(80), j JSON, f FLOAT)"],
    ["zeros_unkeyed", "(id INT, said VARCHAR(80), h INT INVISIBLE, j JSON)"],
  ] as const;
  await runStatements(
    schema,
    schema.name,
    makes.flatMap(([table, columns]) => [
      `CREATE TABLE ${table} ${columns}`,
      `INSERT INTO ${table} (id, said, j) VALUES ${rows.join(", ")}`,
    ]),
  );
  const context = await contextFor({ ...clinic, dumps: { format: "portable" } });
  const { dumpId, manifest } = await takeDump(context);
  const intoDatabase = `${schema.name}_zeros`;
  const intoSites = join(clinic.directory, "zeros");

  expect(await drillDump(context, dumpId)).toMatchObject({ verdict: "passed", differences: [] });
  const verdict = await restoreDump(context, { dump: dumpId, intoDatabase, intoSites });
  expect(verdict).toMatchObject({ verdict: "passed", differences: [] });

  const restored = { ...context.restoreDatabase, name: intoDatabase };
  const found = async (against: Manifest = manifest, evidence: StoredEvidence = {}) =>
    (await compareRestored(context, restored, intoSites, against, evidence)).differences.map(({ subject }) => subject);
  const changes = [
    "j = JSON_SET(j, '$.b[6]', 6)",
    "j = JSON_SET(j, '$.b[0]', '1.5')",
    "j = JSON_SET(j, '$.c', 1.0000000000000002e0)",
    "said = CONCAT(said, '0')",
  ];
  for (const [index, change] of changes.entries()) {
    const [table] = makes[index % makes.length] ?? makes[0];
    const live = `${sqlName(schema.name)}.${table}`;
    await runStatements(schema, intoDatabase, [`UPDATE ${table} SET ${change} WHERE id = 7`]);
    expect(await found(), change).toEqual([table]);
    await runStatements(schema, intoDatabase, [
      `UPDATE ${table} AS copy JOIN ${live} AS live USING (id) SET copy.j = CAST(CAST(live.j AS CHAR) AS JSON), copy.said = live.said`,
    ]);
  }
  expect(await found()).toEqual([]);

  const tables = manifest.database.tables.map(({ meaningSha256: _, ...table }) => table);
  const earlier: Manifest = { ...manifest, database: { ...manifest.database, tables } };
  const scanner = sqlScanner((name) => manifest.database.tables.some((table) => table.name === name && table.keyed));
  await context.store.readDatabase(
    manifest.database.part,
    async (stream) => {
      for await (const chunk of stream) await scanner.push(chunk as Buffer);
    },
    context,
  );
  expect((await found(earlier)).toSorted()).toEqual(makes.map(([table]) => table));
  expect(await found(earlier, { wholeRows: wholeRows(earlier, scanner.finish()) })).toEqual([]);
});
