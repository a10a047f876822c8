import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { assertSitesChosen } from "@openemr-ops/dumps/steps/sitesInPlace";
import { planDump, takeDump } from "@openemr-ops/dumps/steps/takeDump";
import type { DatabaseServer } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { freshSchema } from "../../support/database.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { aSqlconf } from "../../support/sitesTree.ts";

let directory: string;
let folding: DatabaseServer;
let clinic: Clinic;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-folded-"));
  folding = await startMariaDb({ directory, extraArguments: ["--lower-case-table-names=1"] });
  clinic = await aClinic();
});
afterAll(async () => {
  await clinic.remove();
  await folding.stop();
  await rm(directory, { recursive: true, force: true });
});

it("refuses, before anything is made, a server that would give a table another name", async () => {
  await clinic.schema.query("CREATE TABLE `Notes` (id INT PRIMARY KEY)");
  const options = { ...clinic, dumps: { format: "portable" } } as const;
  const { dumpId } = await takeDump(await contextFor(options));
  await using there = await freshSchema(folding);
  const context = await contextFor({ ...options, schema: there });
  const intoDatabase = `${there.name}_copy`;
  const restore = restoreDump(context, { dump: dumpId, intoDatabase, intoSites: join(clinic.directory, "copy") });

  await expect(restore).rejects.toThrow(TargetUnsuitableError);
  await expect(restore).rejects.toThrow(/table Notes would get another name.*lower_case_table_names = 0/);
  expect(await there.query("SHOW DATABASES LIKE ?", [intoDatabase])).toEqual([]);
});

describe("a site whose sqlconf.php writes the schema's name in other letters", () => {
  const manifestOf = async ({ schema, sitesPath, directory }: Clinic) => {
    await writeFile(join(sitesPath, "default/sqlconf.php"), aSqlconf({ database: schema.name.toUpperCase() }));
    const context = await contextFor({ schema, sitesPath, directory, dumps: { format: "portable" } });
    return { context, ...(await takeDump(context)) };
  };
  const codes = ({ warnings }: { readonly warnings: readonly { readonly code: string }[] }) =>
    warnings.map(({ code }) => code);

  it("has its rows in the dump where the server takes both names for one", async () => {
    const there = await aClinic({ server: folding });
    const { context, manifest } = await manifestOf(there);
    const plan = await planDump(context);
    const chosen = assertSitesChosen(context, manifest, undefined);
    await chosen.finally(() => there.remove());

    expect(manifest.openemr.sites).toEqual(["default"]);
    expect(plan.sites).toEqual(["default"]);
    for (const said of [manifest, plan]) expect(codes(said)).not.toContain("site-in-another-database");
  });

  it("has its rows in another schema elsewhere", async () => {
    const there = await aClinic();
    const { manifest } = await manifestOf(there);
    await there.remove();

    expect(manifest.openemr.sites).toEqual([]);
    expect(codes(manifest)).toContain("site-in-another-database");
  });
});
