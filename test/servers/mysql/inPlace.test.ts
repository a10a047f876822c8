import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic, filesOf, rowsOf } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";

let clinic: Clinic;
let context: DumpContext;
beforeEach(async () => {
  clinic = await aClinic();
  context = await contextFor({ ...clinic, dumps: { format: "portable" } });
});
afterEach(() => clinic.remove());

const live = async () => ({
  rows: await rowsOf(clinic.schema, clinic.schema.name),
  files: await filesOf(clinic.sitesPath),
  programs: await clinic.schema.query(
    `SELECT ROUTINE_NAME AS name, DEFINER AS definer, LAST_ALTERED AS at FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?
     UNION ALL SELECT EVENT_NAME, DEFINER, LAST_ALTERED FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?
     UNION ALL SELECT TRIGGER_NAME, DEFINER, CREATED FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?
     UNION ALL SELECT TABLE_NAME, DEFINER, NULL FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`,
    Array(4).fill(clinic.schema.name),
  ),
  schemas: await clinic.schema.query(
    "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ?",
    [`${clinic.schema.name}\\_%`],
  ),
});

const inPlace = (dump: string) => restoreDump(context, { dump, inPlace: true });

/** Refused by name with what to do, before anything was changed, and done once that is done. */
const refusedUntil = async (dump: string, said: RegExp, cure: string): Promise<void> => {
  const before = await live();
  const dumps = await listDumps(context);
  const refusal = await inPlace(dump).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(TargetUnsuitableError);
  expect(String(refusal)).toMatch(said);
  expect(String(refusal)).toContain(cure);
  expect(await live()).toEqual(before);
  expect(await listDumps(context)).toEqual(dumps);

  await clinic.schema.query(cure);
  expect(await inPlace(dump)).toMatchObject({ verdict: "passed" });
};

describe("a restore in place over what an administrator made", () => {
  it("replaces views and triggers, for which no right of an administrator is needed", async () => {
    const { schema } = clinic;
    await schema.query("CREATE VIEW of_root AS SELECT pid FROM patients");
    await schema.query("CREATE TRIGGER of_root BEFORE UPDATE ON patients FOR EACH ROW SET NEW.visits = NEW.visits");
    const { dumpId } = await takeDump(context);
    const before = await rowsOf(schema, schema.name);
    await schema.query("DELETE FROM visits WHERE id = 3");

    expect(await inPlace(dumpId)).toMatchObject({ verdict: "passed" });
    expect(await rowsOf(schema, schema.name)).toEqual(before);
    expect(await schema.query("SELECT pid FROM of_root ORDER BY 1")).toEqual([{ pid: 1 }, { pid: 2 }]);
  });

  it.each([
    { what: "a procedure", made: "CREATE PROCEDURE of_root() SELECT 1" },
    { what: "an event", made: "CREATE EVENT of_root ON SCHEDULE EVERY 1 DAY DISABLE DO SET @x = 1" },
    {
      what: "an event that is kept",
      made: "CREATE EVENT of_root ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DISABLE DO SET @x = 1",
    },
  ])("is refused for $what of root's before anything changes, with the statement to run", async ({ made }) => {
    const { schema } = clinic;
    await schema.query(made);
    const { dumpId } = await takeDump(context);
    await writeFile(join(clinic.sitesPath, "default/documents/12/later"), "came later");

    await refusedUntil(dumpId, /of_root/, `GRANT SYSTEM_USER ON *.* TO \`${schema.restoreUser.user}\`@\`%\``);
  });

  it.each(["TRIGGER", "DROP"])(
    "is refused without the right %s in the live schema, before anything changes",
    async (right) => {
      const { schema } = clinic;
      const { dumpId } = await takeDump(context);
      const user = `\`${schema.restoreUser.user}\`@\`%\``;
      await schema.query(`REVOKE ${right} ON \`${schema.name}\`.* FROM ${user}`);

      await refusedUntil(dumpId, new RegExp(right), `GRANT ${right} ON \`${schema.name}\`.* TO ${user}`);
    },
  );

  it("is refused without rights in the schemas beside, before anything changes", async () => {
    const { schema } = clinic;
    const { dumpId } = await takeDump(context);
    const user = `\`${schema.restoreUser.user}\`@\`%\``;
    await schema.query(`REVOKE ALL PRIVILEGES ON \`${schema.name}\\_%\`.* FROM ${user}`);

    await refusedUntil(dumpId, /_before_/, `GRANT ALL PRIVILEGES ON \`${schema.name}\\_%\`.* TO ${user}`);
  });
});
