import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { estateTables } from "@openemr-ops/local/estate/table";
import type { DatabaseServer, ServerAddress } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { aClinic, type Clinic, rowsOf } from "../../support/aClinic.ts";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { fillTables } from "../../support/fillTables.ts";
import { runStatements } from "../../support/runStatements.ts";
import { loadSharedSchema, sharedSchema } from "../../support/sharedSchema.ts";
import { aSite } from "../../support/sitesTree.ts";

const mysql = inject("server");
let directory: string;
let mariaDb: DatabaseServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-migration-"));
  mariaDb = await startMariaDb({ directory, tls: true });
});
afterAll(async () => {
  await mariaDb.stop();
  await rm(directory, { recursive: true, force: true });
});

const serversOf = (way: string): readonly [from: ServerAddress, to: ServerAddress] =>
  way.startsWith("from MySQL") ? [mysql, mariaDb] : [mariaDb, mysql];
const ways = ["from MySQL to MariaDB", "from MariaDB to MySQL"];

/** Dumps the clinic and restores it on the other server, beside a schema there. */
const moved = async (clinic: Pick<Clinic, "schema" | "sitesPath" | "directory">, to: ServerAddress) => {
  await using there = await freshSchema(to);
  const options = { ...clinic, dumps: { format: "portable" } } as const;
  const { dumpId } = await takeDump(await contextFor(options));
  const verdict = await restoreDump(await contextFor({ ...options, schema: there }), {
    dump: dumpId,
    intoDatabase: `${there.name}_copy`,
    intoSites: join(clinic.directory, "moved"),
  });
  return { verdict, rows: await rowsOf(there, `${there.name}_copy`) };
};

describe("a clinic", () => {
  it.each(ways)("moves %s with every row and program", async (way) => {
    const [from, to] = serversOf(way);
    const clinic = await aClinic({ server: from });
    try {
      const { verdict, rows } = await moved(clinic, to);

      expect(verdict).toMatchObject({ verdict: "passed", differences: [], keyProof: "proven" });
      expect(rows).toEqual(await rowsOf(clinic.schema, clinic.schema.name));
    } finally {
      await clinic.remove();
    }
  });

  it("with a collation that the other server does not have is refused there, by table and collation", async () => {
    const clinic = await aClinic({ server: mysql });
    try {
      await clinic.schema.query("CREATE TABLE newer (a VARCHAR(20) PRIMARY KEY) COLLATE utf8mb4_0900_ai_ci");
      const refusal: unknown = await moved(clinic, mariaDb).catch((error: unknown) => error);

      expect(refusal).toBeInstanceOf(TargetUnsuitableError);
      expect(String(refusal)).toMatch(/table newer.*utf8mb4_0900_ai_ci/);
    } finally {
      await clinic.remove();
    }
  });
});

const shared = sharedSchema();
const schemas: readonly { readonly name: string; readonly make: (schema: FreshSchema) => Promise<void> }[] = [
  {
    name: "the tables of an estate",
    make: async (schema) => {
      const statements = estateTables.map(({ createStatement }) => createStatement);
      await runStatements(schema, schema.name, statements);
    },
  },
  ...(shared.length > 0
    ? [{ name: "OpenEMR's own schema", make: async (schema: FreshSchema) => loadSharedSchema(schema, shared) }]
    : []),
];

describe.each(schemas)("$name, filled with anything their columns take", ({ make }) => {
  it.each(ways)("go %s with every row", { timeout: 240_000 }, async (way) => {
    const [from, to] = serversOf(way);
    await using schema = await freshSchema(from);
    const source = await mkdtemp(join(directory, "source-"));
    const sitesPath = join(source, "sites");
    await make(schema);
    await fillTables(schema, 5);
    await aSite(sitesPath, schema.name);

    const { verdict, rows } = await moved({ schema, sitesPath, directory: source }, to);

    expect(verdict).toMatchObject({ verdict: "passed", differences: [] });
    expect(rows).toEqual(await rowsOf(schema, schema.name));
  });
});
