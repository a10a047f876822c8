import { spawnSync } from "node:child_process";
import { mkdir, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { compareRestored } from "@openemr-ops/dumps/steps/compare";
import { openDirectory } from "@openemr-ops/files/directory";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { columnTypesOf } from "../../support/columnTypes.ts";
import {
  type Falsification,
  falseRows,
  falseStructures,
  falseTrees,
  typedTables,
} from "../../support/falsifications.ts";
import { type RoundTrip, roundTrip } from "../../support/roundTrip.ts";
import { runStatements } from "../../support/runStatements.ts";

let clinic: Clinic;
let trip: RoundTrip;
let listed: Awaited<ReturnType<RoundTrip["context"]["store"]["restoreSites"]>>["listed"];

const beside = (what: string): string => join(clinic.directory, what);

beforeAll(async () => {
  clinic = await aClinic();
  const { schema, sitesPath, directory } = clinic;
  await runStatements(schema, schema.name, typedTables(schema.product, 7));
  for (const entry of await readdir(sitesPath, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), 1_700_000_000, 1_700_000_000);
  trip = await roundTrip({ schema, sitesPath, directory });

  const kept = `${schema.name}_kept`;
  await schema.query(`CREATE DATABASE ${sqlName(kept)}`);
  const tables = columnTypesOf(schema.product).map((_, index) => `t${index}`);
  await runStatements(
    schema,
    kept,
    tables.flatMap((table) => [
      `CREATE TABLE ${table} LIKE ${sqlName(trip.restored.name)}.${table}`,
      `INSERT INTO ${table} SELECT * FROM ${sqlName(trip.restored.name)}.${table}`,
    ]),
  );
  spawnSync("cp", ["-a", trip.sites, beside("kept")]);
  await mkdir(beside("again/unpacked"), { recursive: true });
  await using again = await openDirectory(beside("again"));
  ({ listed } = await trip.context.store.restoreSites(trip.manifest.sites.part, again, "unpacked", trip.context));
}, 120_000);
afterAll(() => clinic.remove());

const compare = async () => {
  const { differences } = await compareRestored(trip.context, trip.restored, trip.sites, trip.manifest, { listed });
  return differences;
};

const areFound = (falsifications: fc.Arbitrary<Falsification>, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(falsifications, async ({ what, change, back }) => {
      const changed = await change();
      const differences = changed ? await compare() : undefined;
      await back();
      fc.pre(differences !== undefined);
      expect(differences, what).not.toEqual([]);
    }),
    { numRuns, seed: 1, endOnFailure: true },
  );

describe("a restored copy", { timeout: 300_000 }, () => {
  it("is found to differ, whatever is wrong in its rows", () =>
    areFound(falseRows(clinic.schema, trip.restored.name, `${clinic.schema.name}_kept`), 120));

  it("is found to differ, whatever is wrong in its structure and programs", () => {
    const copy = sqlName(trip.restored.name);
    return areFound(
      falseStructures(clinic.schema, [
        [`ALTER TABLE ${copy}.\`keys\` DROP KEY name`, `ALTER TABLE ${copy}.\`keys\` ADD UNIQUE KEY name (name)`],
        [
          `ALTER TABLE ${copy}.globals DROP PRIMARY KEY`,
          `ALTER TABLE ${copy}.globals ADD PRIMARY KEY (gl_name, gl_index)`,
        ],
        [
          `ALTER TABLE ${copy}.visits DROP FOREIGN KEY visit_of`,
          `ALTER TABLE ${copy}.visits ADD CONSTRAINT visit_of FOREIGN KEY (pid) REFERENCES ${copy}.patients (pid)`,
        ],
        [
          `ALTER TABLE ${copy}.patients ALTER visits SET DEFAULT 1`,
          `ALTER TABLE ${copy}.patients ALTER visits SET DEFAULT 0`,
        ],
        [
          `CREATE OR REPLACE VIEW ${copy}.heavy_patients AS SELECT pid, weight FROM ${copy}.patients WHERE weight > 71`,
          `CREATE OR REPLACE VIEW ${copy}.heavy_patients AS SELECT pid, weight FROM ${copy}.patients WHERE weight > 70`,
        ],
      ]),
      20,
    );
  });

  it("is found to differ, whatever is wrong in its files", async () =>
    areFound(await falseTrees(trip.sites, beside("kept")), 60));

  it("does not differ once all of it is taken back", async () => {
    expect(await compare()).toEqual([]);
  });
});
