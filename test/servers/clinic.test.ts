import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { restorePart } from "@openemr-ops/dumps/steps/restorePart";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic, filesOf, rowsOf } from "../support/aClinic.ts";
import { contextFor } from "../support/dumpContext.ts";

let clinic: Clinic;
let context: DumpContext;
let dumpId: string;
let rows: Awaited<ReturnType<typeof rowsOf>>;

beforeEach(async () => {
  clinic = await aClinic();
  context = await contextFor({ ...clinic, dumps: { format: "portable" } });
  rows = await rowsOf(clinic.schema, clinic.schema.name);
  ({ dumpId } = await takeDump(context));
});
afterEach(() => clinic.remove());

const passed = { verdict: "passed", differences: [], keyProof: "proven" };

describe("a dump of a clinic", () => {
  it("drills", async () => {
    expect(await drillDump(context, dumpId)).toMatchObject(passed);
  });

  it("restores beside the live schema, with every row and program", async () => {
    const copy = { database: `${clinic.schema.name}_copy`, sites: join(clinic.directory, "copy") };
    const verdict = await restoreDump(context, {
      dump: dumpId,
      intoDatabase: copy.database,
      intoSites: copy.sites,
    });

    expect(verdict).toMatchObject(passed);
    expect(await rowsOf(clinic.schema, copy.database)).toEqual(rows);
    expect(await filesOf(copy.sites)).toEqual(await filesOf(clinic.sitesPath));
  });

  it("gives back one table, and one patient, with exact values", async () => {
    const { schema, directory } = clinic;
    const into = { intoDatabase: `${schema.name}_part`, intoSites: join(directory, "part") };
    const asked = { dump: dumpId, intoDatabase: into.intoDatabase };
    expect(await restorePart(context, { ...asked, tables: ["patients", "globals"] })).toMatchObject({
      verdict: "passed",
    });
    const { patients, globals } = rows;
    expect(await rowsOf(schema, into.intoDatabase)).toMatchObject({ patients, globals });
    await schema.query(`DROP DATABASE ${into.intoDatabase}`);

    const verdict = await restorePart(context, { dump: dumpId, patient: "1", ...into });
    expect(verdict).toMatchObject({ verdict: "passed", rows: 3, files: 0 });
    const [row] = await schema.query(`SELECT pid, weight + 0e0 AS weight FROM ${into.intoDatabase}.patients`);
    const [live] = await schema.query(`SELECT pid, weight + 0e0 AS weight FROM patients WHERE pid = 1`);
    expect(row).toEqual(live);
    await schema.query(`DROP DATABASE ${into.intoDatabase}`);
  });

  it("restores in place, after rows and files were changed, and leaves programs that work", async () => {
    const { schema, sitesPath } = clinic;
    await schema.query("DELETE FROM visits WHERE id = 3");
    await schema.query("UPDATE patients SET weight = 70.1234 WHERE pid = 1");
    await rm(join(sitesPath, "default/documents/12/letter"));

    expect(await restoreDump(context, { dump: dumpId, inPlace: true })).toMatchObject(passed);
    expect(await rowsOf(schema, schema.name)).toEqual(rows);
    await schema.query("INSERT INTO visits (pid, note) VALUES (1, 'after')");
    expect(await schema.query("SELECT visits, visits_of(1) AS counted FROM patients WHERE pid = 1")).toEqual([
      { visits: 3, counted: 3 },
    ]);
    expect(await schema.query("SELECT pid FROM heavy_patients")).toEqual([{ pid: 1 }]);
  });

  it("restores where schema and tree are gone, as after a disaster", async () => {
    await clinic.schema.query(`DROP DATABASE ${clinic.schema.name}`);
    await rm(clinic.sitesPath, { recursive: true });

    expect(await restoreDump(context, { dump: dumpId, inPlace: true })).toMatchObject(passed);
    expect(await rowsOf(clinic.schema, clinic.schema.name)).toEqual(rows);
  });
});
