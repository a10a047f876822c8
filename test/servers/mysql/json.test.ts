import { join } from "node:path";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aClinic, type Clinic, rowsOf } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";

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
