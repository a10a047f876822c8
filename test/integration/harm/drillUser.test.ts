import { TargetNotEmptyError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { scratchNameOf } from "@openemr-ops/dumps/steps/drillServer";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";

let clinic: Clinic;
let context: DumpContext;
let drillUser: string;

beforeAll(async () => {
  clinic = await aClinic();
  const { schema, directory, sitesPath } = clinic;
  drillUser = `${schema.name}_drill`;
  await schema.query(`CREATE USER ${sqlName(drillUser)}@'%' IDENTIFIED BY 'a-third-password'`);
  await schema.query(`GRANT ALL PRIVILEGES ON ${sqlName(`${schema.name}\\_drill\\_%`)}.* TO ${sqlName(drillUser)}@'%'`);
  context = await contextFor({
    schema,
    sitesPath,
    directory,
    dumps: {
      format: "portable",
      compression: "zstd",
      drill: { directory: `${directory}/drills`, database: { user: drillUser, password: "env:DRILL_USER_PASSWORD" } },
    },
    environment: { DRILL_USER_PASSWORD: "a-third-password" },
  });
  await takeDump(context);
}, 60_000);
afterAll(async () => {
  await clinic.schema.query(`DROP USER IF EXISTS ${sqlName(drillUser)}@'%'`);
  await clinic.remove();
});

it("a drill needs no rights but on its scratch schema", { timeout: 60_000 }, async () => {
  expect(context.drillDatabase).toMatchObject({ user: drillUser, host: context.database.host });

  expect(await drillDump(context, "latest")).toMatchObject({ verdict: "passed", keyProof: "proven" });
});

it("a drill leaves a schema of its scratch name alone that it has not filled", async () => {
  const scratch = sqlName(scratchNameOf(context.installation, context.database.name));
  await clinic.schema.query(`CREATE DATABASE ${scratch}`);
  await clinic.schema.query(`CREATE TABLE ${scratch}.precious AS SELECT 1 AS id`);

  await expect(drillDump(context, "latest")).rejects.toBeInstanceOf(TargetNotEmptyError);

  expect(await clinic.schema.query(`SELECT id FROM ${scratch}.precious`)).toEqual([{ id: 1 }]);
  await clinic.schema.query(`DROP DATABASE ${scratch}`);
});

it("a drill warns when it cannot remove its schema, and the next drill removes it", { timeout: 60_000 }, async () => {
  const scratch = scratchNameOf(context.installation, context.database.name);
  const right = `DROP ON ${sqlName(`${clinic.schema.name}\\_drill\\_%`)}.*`;
  const lookFor = `SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name = '${scratch}'`;
  const warnings: string[] = [];
  let revoked: Promise<unknown> | undefined;
  const progress = ({ step }: { readonly step: string }) => {
    if (step === "compare") revoked ??= clinic.schema.query(`REVOKE ${right} FROM ${sqlName(drillUser)}@'%'`);
  };

  const drill = await drillDump({ ...context, progress, warn: (message) => warnings.push(message) }, "latest");
  await revoked;
  expect(drill).toMatchObject({ verdict: "passed" });
  expect(warnings).toEqual([expect.stringContaining(`could not remove its schema ${scratch}`)]);
  expect(await clinic.schema.query(lookFor)).toEqual([{ name: scratch }]);

  await clinic.schema.query(`GRANT ${right} TO ${sqlName(drillUser)}@'%'`);
  expect(await drillDump(context, "latest")).toMatchObject({ verdict: "passed" });
  expect(await clinic.schema.query(lookFor)).toEqual([]);
});
