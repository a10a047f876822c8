import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseAccessDeniedError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { type DatabaseServer, sqlName } from "@openemr-ops/local/servers/databaseServer";
import { startMySql } from "@openemr-ops/local/servers/mysql";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic, rowsOf } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { numbers } from "../../support/numbers.ts";

let directory: string;
let server: DatabaseServer;
let clinic: Clinic;
let context: DumpContext;
let dumpId: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-rules-"));
  server = await startMySql({ directory, tls: true });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});
const trust = (value: string) => server.query(`SET GLOBAL log_bin_trust_function_creators = ${value}`);
beforeEach(async () => {
  await trust("ON");
  clinic = await aClinic({ server });
  context = await contextFor({ ...clinic, dumps: { format: "portable" } });
  ({ dumpId } = await takeDump(context));
});
afterEach(() => clinic.remove());

const besides = () =>
  restoreDump(context, {
    dump: dumpId,
    intoDatabase: `${clinic.schema.name}_copy`,
    intoSites: join(clinic.directory, "copy"),
  });
const refusal = async (attempt: () => Promise<unknown>): Promise<string> => {
  const error: unknown = await attempt().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TargetUnsuitableError);
  return String(error);
};

describe("a server that trusts no creators of functions", () => {
  it("is refused before anything is loaded, with the setting", async () => {
    await trust("OFF");
    const before = await rowsOf(clinic.schema, clinic.schema.name);

    for (const attempt of [besides, () => restoreDump(context, { dump: dumpId, inPlace: true })])
      expect(await refusal(attempt)).toContain("SET GLOBAL log_bin_trust_function_creators = ON");
    expect(await rowsOf(clinic.schema, clinic.schema.name)).toEqual(before);
    await trust("ON");
    expect(await restoreDump(context, { dump: dumpId, inPlace: true })).toMatchObject({ verdict: "passed" });
  });

  it("is refused for functions too before the live schema changes", async () => {
    await clinic.schema.query("DROP TRIGGER visits_counted");
    ({ dumpId } = await takeDump(context));
    await trust("OFF");
    const before = await rowsOf(clinic.schema, clinic.schema.name);

    expect(await refusal(() => restoreDump(context, { dump: dumpId, inPlace: true }))).toContain(
      "the dump holds functions",
    );
    expect(await rowsOf(clinic.schema, clinic.schema.name)).toEqual(before);
  });
});

describe("a server with rules about primary keys", () => {
  it.each(["sql_require_primary_key", "sql_generate_invisible_primary_key"])(
    "refuses a table without one by name, or takes it as it was: %s",
    async (rule) => {
      const { schema } = clinic; // its table `version` has no key
      await schema.query("CREATE TABLE keyless (a INT, KEY (a))");
      await schema.query(`INSERT INTO keyless SELECT n FROM ${numbers(10_500)}`); // its key comes after its rows
      ({ dumpId } = await takeDump(context));
      await server.query(`SET GLOBAL ${rule} = ON`);
      try {
        const said = await refusal(besides);
        expect(said).toMatch(/table \w+ has no primary key/);
        expect(said).toContain(`SET GLOBAL ${rule} = OFF`);
        expect(await refusal(() => restoreDump(context, { dump: dumpId, inPlace: true }))).toBe(said);

        await server.query(`GRANT SESSION_VARIABLES_ADMIN ON *.* TO ${sqlName(schema.restoreUser.user)}@'%'`);
        expect(await besides()).toMatchObject({ verdict: "passed" });
      } finally {
        await server.query(`SET GLOBAL ${rule} = OFF`);
      }
    },
  );
});

describe("a server with partial_revokes, where the name in a grant is no pattern", () => {
  it("refuses drill and restore in place with the grants that it takes", async () => {
    await server.query("SET GLOBAL partial_revokes = ON");
    try {
      const denied: unknown = await drillDump(context, dumpId).catch((reason: unknown) => reason);
      expect(denied).toBeInstanceOf(DatabaseAccessDeniedError);
      const [, grant = ""] = /(GRANT ALL PRIVILEGES ON `t\w+_drill_\w+`\.\* TO \S+)/.exec(String(denied)) ?? [];
      await server.query(grant);
      expect(await drillDump(context, dumpId)).toMatchObject({ verdict: "passed" });

      const said = await refusal(() => restoreDump(context, { dump: dumpId, inPlace: true }));
      const [, wide = ""] = /run: (GRANT .* ON \*\.\* TO \S+)/.exec(said) ?? [];
      await server.query(wide);
      expect(await restoreDump(context, { dump: dumpId, inPlace: true })).toMatchObject({ verdict: "passed" });
    } finally {
      await server.query("SET GLOBAL partial_revokes = OFF").catch(() => {});
    }
  });
});
