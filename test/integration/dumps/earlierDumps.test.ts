import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { findUnpacked } from "@openemr-ops/local/tools/debianPackages";
import { mariaDb118OfDebian } from "@openemr-ops/local/tools/otherServers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, patientCanary } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";

const fixtures = join(import.meta.dirname, "../../fixtures");

describe.each([
  { release: "0.1.0", format: "restic" as const, dumpId: "01M8C1XNQHM9SSZGT063G37589" },
  { release: "0.1.0", format: "portable" as const, dumpId: "01M8C1XVW09T04Z87BN7QB8VMQ" },
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
});
