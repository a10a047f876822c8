import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportDatabase } from "@openemr-ops/exports/database/exportDatabase";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { buildEstate } from "@openemr-ops/local/estate/buildEstate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compareExport } from "../../support/compareExport.ts";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { exportContextOf } from "../../support/exportContext.ts";
import { fillTables } from "../../support/fillTables.ts";
import { loadSharedSchema, sharedSchema } from "../../support/sharedSchema.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "exported-schema-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const files = sharedSchema();
const schemas: readonly { readonly name: string; make(schema: FreshSchema): Promise<void> }[] = [
  {
    name: "the estate's schema",
    make: async ({ host, port, user, password, name }) => {
      const database = { host, port, user, password, name };
      await buildEstate({ directory: join(directory, name), database, seed: "filled", size: "tiny" });
    },
  },
  ...(files.length > 0
    ? [
        {
          name: "OpenEMR's own schema, with its optional tables and samples",
          make: async (schema: FreshSchema) => loadSharedSchema(schema, files),
        },
      ]
    : []),
];

it.each(schemas)(
  "exports every table of $name, filled with anything its columns take, value by value",
  { timeout: 180_000 },
  async ({ make }) => {
    await using schema = await freshSchema();
    await make(schema);
    await fillTables(schema, Date.now());
    const root = join(directory, `${schema.name}-export`);

    const { tables, skipped } = await exportDatabase(exportContextOf(schema, fileDestination(root)), {
      exportId: "one",
    });

    const [counted] = await schema.query(
      "SELECT COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'",
      [schema.name],
    );
    expect(tables).toBe(Number(counted?.n));
    expect(skipped.filter(({ reason }) => !reason.startsWith("a view"))).toEqual([]);
    expect(await compareExport(schema, join(root, "database/one"))).toEqual([]);
  },
);
