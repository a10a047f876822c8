import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sqlScanner } from "@openemr-ops/database/sqlScanner";
import type { DumpContext } from "@openemr-ops/dumps/context";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { compareRestored } from "@openemr-ops/dumps/steps/compare";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { chooseDump, listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { restorePart } from "@openemr-ops/dumps/steps/restorePart";
import { type WholeRows, wholeRows } from "@openemr-ops/dumps/steps/wholeRows";
import { findUnpacked } from "@openemr-ops/local/tools/debianPackages";
import { mariaDb118OfDebian } from "@openemr-ops/local/tools/otherServers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, patientCanary } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";

const fixtures = join(import.meta.dirname, "../../fixtures");

describe.each([
  { release: "0.1.0", format: "restic" as const, dumpId: "01M8C1XNQHM9SSZGT063G37589" },
  { release: "0.1.0", format: "portable" as const, dumpId: "01M8C1XVW09T04Z87BN7QB8VMQ" },
  { release: "0.1.0-columns-named", format: "portable" as const, dumpId: "01M8CENCB2ACEB3G3CHR3P4H63" },
])("a dump in the $format format, taken by release $release", ({ release, format, dumpId }) => {
  let clinic: Clinic;
  let context: DumpContext;
  beforeAll(async () => {
    clinic = await aClinic();
    const repository = join(clinic.directory, "repository");
    await cp(join(fixtures, `dumps-${release}`, format), repository, { recursive: true });
    if (format === "restic") await mkdir(join(repository, "locks"), { recursive: true });
    context = await contextFor({ ...clinic, dumps: { format } });
  });
  afterAll(() => clinic.remove());

  it("is listed as complete", async () => {
    expect(await listDumps(context)).toMatchObject([{ dumpId, complete: true, verified: null, format }]);
  });

  it("passes a check of every byte, and a drill", async () => {
    expect((await checkDumps(context, "read-data")).dumps).toEqual([dumpId]);
    expect(await drillDump(context, "latest")).toMatchObject({ verdict: "passed", dumpId, differences: [] });
  });

  it("passes a drill with a later release of MariaDB's client", async () => {
    const later = { ...context.tools, mariadbDump: findUnpacked(mariaDb118OfDebian, "mariadb-dump") ?? "" };
    const verdict = await drillDump({ ...context, tools: later }, "latest");
    expect(verdict).toMatchObject({ verdict: "passed", dumpId, differences: [] });
  });

  it("restores beside the live system, with its rows and files", async () => {
    const intoDatabase = `${clinic.schema.name}_earlier`;
    const intoSites = join(clinic.directory, "restored");

    expect(await restoreDump(context, { dump: dumpId, intoDatabase, intoSites })).toMatchObject({ verdict: "passed" });
    const rows = await clinic.schema.query(`SELECT name, visits FROM \`${intoDatabase}\`.patients ORDER BY pid`);
    expect(rows).toEqual([
      { name: patientCanary, visits: 2 },
      { name: `${patientCanary} the Second`, visits: 1 },
    ]);
  });

  it("gives back a table and a patient", async () => {
    const intoDatabase = `${clinic.schema.name}_part`;
    const intoSites = join(clinic.directory, "part");
    const tables = ["visits", ...(release === "0.1.0" ? [] : ["named", "named_without_key"])];

    expect(await restorePart(context, { dump: dumpId, tables, intoDatabase })).toMatchObject({ verdict: "passed" });
    await clinic.schema.query(`DROP DATABASE \`${intoDatabase}\``);
    const verdict = await restorePart(context, { dump: dumpId, patient: "1", intoDatabase, intoSites });
    expect(verdict).toMatchObject({ verdict: "passed", rows: 3 });
    await clinic.schema.query(`DROP DATABASE \`${intoDatabase}\``);
  });
});

/** Taken of a clinic with three tables that have an INVISIBLE column: one with a key and 60 rows, one without and three, one empty. */
describe("a dump of release 0.1.0 whose manifest leaves out the first row of each INSERT of a table", () => {
  let clinic: Clinic;
  let context: DumpContext;
  beforeAll(async () => {
    clinic = await aClinic();
    const repository = join(clinic.directory, "repository");
    await cp(join(fixtures, "dumps-0.1.0-columns-named", "portable"), repository, { recursive: true });
    context = await contextFor({ ...clinic, dumps: { format: "portable" } });
  });
  afterAll(() => clinic.remove());

  it("is compared by all rows that it holds", async () => {
    const intoDatabase = `${clinic.schema.name}_earlier`;
    const intoSites = join(clinic.directory, "restored");
    const { dumpId } = await restoreDump(context, { dump: "latest", intoDatabase, intoSites });
    const manifest = await chooseDump(context, dumpId);
    const rows = await allRows(context, manifest);
    const access = { ...context.restoreDatabase, name: intoDatabase };
    const differences = async () =>
      (await compareRestored(context, access, intoSites, manifest, { wholeRows: rows })).differences.map(
        ({ subject, message }) => `${subject} ${message}`,
      );
    const change = (statement: string) =>
      clinic.schema.query(statement.replace(" named", ` \`${intoDatabase}\`.named`));

    expect(rows.map((table) => `${table.name} ${table.rows}`)).toEqual(["named 60", "named_without_key 3"]);
    expect(await differences()).toEqual([]);
    await change("UPDATE named SET t = 'falsified' WHERE id = 1");
    await change("DELETE FROM named_without_key WHERE id = 1 LIMIT 1");
    expect(await differences()).toEqual([
      "named has the right 60 rows by number, but others by content",
      "named_without_key has 2 rows, the dump 3",
    ]);
  });

  it("is refused where the other rows are not those of the manifest", async () => {
    const manifest = await chooseDump(context, "latest");
    const tables = manifest.database.tables.map((table) => ({ ...table, rows: table.rows - 1 }));

    await expect(allRows(context, { ...manifest, database: { ...manifest.database, tables } })).rejects.toThrow(
      "the stored dump holds other rows of table named than its manifest says",
    );
  });
});

const allRows = async (context: DumpContext, manifest: Manifest): Promise<readonly WholeRows[]> => {
  const keyed = new Set(manifest.database.tables.filter((table) => table.keyed).map(({ name }) => name));
  const scanner = sqlScanner((name) => keyed.has(name));
  await context.store.readDatabase(
    manifest.database.part,
    async (stream) => {
      for await (const chunk of stream) await scanner.push(chunk);
    },
    context,
  );
  return wholeRows(manifest, scanner.finish());
};
