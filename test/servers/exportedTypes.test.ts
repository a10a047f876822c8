import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportDatabase } from "@openemr-ops/exports/database/exportDatabase";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { anyTables } from "../support/anyTable.ts";
import { bytesAt } from "../support/bytesAt.ts";
import { freshSchema } from "../support/database.ts";
import { exportContextOf } from "../support/exportContext.ts";
import { type ComparableRow, readByOthers } from "../support/readByOthers.ts";
import { runStatements } from "../support/runStatements.ts";
import { sourceValues } from "../support/sourceValues.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "exported-types-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const inOrder = (rows: readonly ComparableRow[]): readonly string[] => rows.map((row) => JSON.stringify(row)).sort();
/** The first row that one of both lacks; rows of megabytes make no readable message. */
const firstDifference = (rows: readonly ComparableRow[], source: readonly string[]): string | undefined => {
  const read = inOrder(rows);
  const at = source.findIndex((row, index) => row !== read[index]);
  if (at < 0 && read.length === source.length) return undefined;
  return `${read[at]?.slice(0, 500)} instead of ${source[at]?.slice(0, 500)}, of ${read.length} and ${source.length} rows`;
};

/** Schemas, each with every type of column and its extremes. */
const runs = 2;

it("exports every table value by value, as pyarrow and DuckDB read it", { timeout: 120_000 }, () =>
  fc.assert(
    fc.asyncProperty(anyTables(inject("server").product, { most: 1500, megabytes: 4 }), async (tables) => {
      await using schema = await freshSchema();
      for (const { statements } of tables) await runStatements(schema, schema.name, statements);

      const destination = fileDestination(join(directory, schema.name));
      const result = await exportDatabase(exportContextOf(schema, destination), { exportId: "one" });

      const manifest = JSON.parse((await bytesAt(destination, "database/one/_manifest.json")).toString());
      expect(result.skipped).toEqual([]);
      const read = readByOthers(
        manifest.tables.map((table: { directory: string }) =>
          join(directory, schema.name, "database/one", table.directory),
        ),
      );
      for (const [index, { table, rows }] of manifest.tables.entries()) {
        const source = inOrder(await sourceValues(schema, table));
        expect(rows).toBe(source.length);
        expect(firstDifference(read[index]?.pyarrow.rows ?? [], source), `${table} by pyarrow`).toBeUndefined();
        expect(firstDifference(read[index]?.duckdb.rows ?? [], source), `${table} by DuckDB`).toBeUndefined();
      }
      expect(manifest.tables).toHaveLength(tables.length);
    }),
    { numRuns: runs, seed: 8, endOnFailure: true },
  ),
);
