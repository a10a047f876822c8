import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportDatabase } from "@openemr-ops/exports/database/exportDatabase";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { anyTables } from "../support/anyTable.ts";
import { compareExport } from "../support/compareExport.ts";
import { freshSchema } from "../support/database.ts";
import { exportContextOf } from "../support/exportContext.ts";
import { runStatements } from "../support/runStatements.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "exported-types-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Schemas, each with every type of column and its extremes. */
const runs = 1;

it("exports every table value by value, as pyarrow and DuckDB read it", { timeout: 120_000 }, () =>
  fc.assert(
    fc.asyncProperty(anyTables(inject("server").product, { most: 1500, megabytes: 4 }), async (tables) => {
      await using schema = await freshSchema();
      for (const { statements } of tables) await runStatements(schema, schema.name, statements);
      const destination = fileDestination(join(directory, schema.name));

      const result = await exportDatabase(exportContextOf(schema, destination), { exportId: "one" });

      expect(result).toMatchObject({ tables: tables.length, skipped: [] });
      expect(await compareExport(schema, join(directory, schema.name, "database/one"))).toEqual([]);
    }),
    { numRuns: runs, endOnFailure: true },
  ),
);
