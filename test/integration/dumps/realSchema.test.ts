import { rm } from "node:fs/promises";
import { join } from "node:path";
import { buildEstate } from "@openemr-ops/local/estate/buildEstate";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { aWorkDirectory } from "../../support/dumpContext.ts";
import { fillTables } from "../../support/fillTables.ts";
import { roundTrip } from "../../support/roundTrip.ts";
import { schemaImage } from "../../support/schemaImage.ts";
import { loadSharedSchema, sharedSchema } from "../../support/sharedSchema.ts";
import { aSite } from "../../support/sitesTree.ts";

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
beforeAll(async () => {
  work = await aWorkDirectory();
});
afterAll(() => work.remove());

interface RealSchema {
  readonly name: string;
  /** Makes the schema, and the `sites` tree where there is one to make. */
  make(schema: FreshSchema, directory: string): Promise<void>;
}

const files = sharedSchema();
const schemas: readonly RealSchema[] = [
  {
    name: "the estate's schema",
    make: async (schema, directory) => {
      const { host, port, user, password, name } = schema;
      await buildEstate({ directory, database: { host, port, user, password, name }, seed: "filled", size: "tiny" });
    },
  },
  ...(files.length > 0
    ? [
        {
          name: "OpenEMR's own schema, with its optional tables and samples",
          make: async (schema: FreshSchema, directory: string) => {
            loadSharedSchema(schema, files);
            await aSite(join(directory, "sites"), schema.name);
          },
        },
      ]
    : []),
];

it.each(schemas)(
  "brings back $name, every table filled with anything its columns take",
  { timeout: 120_000 },
  ({ make }) =>
    fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        await using schema = await freshSchema();
        const directory = join(work.path, schema.name);
        await make(schema, directory);
        await fillTables(schema, seed);

        const { verdict, restored } = await roundTrip({ schema, sitesPath: join(directory, "sites"), directory });

        const before = await schemaImage(schema, schema.name);
        expect(await schemaImage(schema, restored.name)).toEqual(before);
        expect(verdict.verdict).toBe("passed");
        const tables = Object.keys(before.created).filter((name) => before.created[name]?.startsWith("CREATE TABLE"));
        expect(tables.filter((name) => before.rows[name]?.length === 0)).toEqual([]);
        await rm(directory, { recursive: true });
      }),
      { numRuns: 1, endOnFailure: true },
    ),
);
