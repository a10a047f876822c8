import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import type { DatabaseServer } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { freshSchema } from "../../support/database.ts";
import { contextFor } from "../../support/dumpContext.ts";

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
