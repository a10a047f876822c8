import { rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { anyTables } from "../support/anyTable.ts";
import { freshSchema } from "../support/database.ts";
import { aWorkDirectory } from "../support/dumpContext.ts";
import { roundTrip } from "../support/roundTrip.ts";
import { runStatements } from "../support/runStatements.ts";
import { schemaImage } from "../support/schemaImage.ts";
import { aSite } from "../support/sitesTree.ts";

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
beforeAll(async () => {
  work = await aWorkDirectory();
  await aSite(join(work.path, "sites"));
});
afterAll(() => work.remove());

/** Schemas, each with every type of column. More find more: each takes about five seconds. */
const runs = 3;
/** The largest table has more rows than keys wait for. */
const most = 20_000;
/** What a MariaDB server takes as one statement, unless it is told otherwise. */
const megabytes = 16;

it("brings back every table, whatever its columns, keys and rows, byte for byte", { timeout: 300_000 }, () =>
  fc.assert(
    fc.asyncProperty(
      anyTables(inject("server").product, { most, megabytes }),
      fc.constantFrom({ deferKeysFrom: 0 }, {}),
      async (tables, later) => {
        await using schema = await freshSchema();
        for (const { statements } of tables) await runStatements(schema, schema.name, statements);
        const directory = join(work.path, schema.name);
        const options = { schema, sitesPath: join(work.path, "sites"), directory };
        const { verdict, restored, manifest } = await roundTrip({ ...options, ...later });

        expect(verdict).toMatchObject({ verdict: "passed", differences: [] });
        const source = await schemaImage(schema, schema.name);
        expect(await schemaImage(schema, restored.name)).toEqual(source);
        expect(Object.fromEntries(manifest.database.tables.map(({ name, rows }) => [name, rows]))).toEqual(
          Object.fromEntries(tables.map(({ name }) => [name, source.rows[name]?.length])),
        );
        expect(Math.max(...manifest.database.tables.map(({ rows }) => rows))).toBeGreaterThanOrEqual(most);
        await rm(directory, { recursive: true });
      },
    ),
    { numRuns: runs, seed: 8, endOnFailure: true },
  ),
);
