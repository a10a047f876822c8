import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FreshSchema } from "./database.ts";
import { type ComparableRow, readByOthers } from "./readByOthers.ts";
import { sourceValues } from "./sourceValues.ts";

export interface ManifestTable {
  readonly table: string;
  readonly directory: string;
  readonly rows: number;
  readonly bytes: number;
  readonly inSnapshot: boolean;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

export interface ExportManifest {
  readonly snapshotAt: string;
  readonly tables: readonly ManifestTable[];
  readonly skipped: readonly { readonly table: string; readonly reason: string }[];
}

/** @param directory of one export */
export const manifestIn = (directory: string): ExportManifest =>
  JSON.parse(readFileSync(join(directory, "_manifest.json"), "utf8")) as ExportManifest;

const inOrder = (rows: readonly ComparableRow[]): readonly string[] => rows.map((row) => JSON.stringify(row)).sort();

/** The first row that one of both lacks; rows of megabytes make no readable message. */
const firstDifference = (read: readonly string[], source: readonly string[]): string | undefined => {
  const at = source.findIndex((row, index) => row !== read[index]);
  if (at < 0 && read.length === source.length) return undefined;
  return `${read[at]?.slice(0, 500)} instead of ${source[at]?.slice(0, 500)}, of ${read.length} and ${source.length} rows`;
};

/**
 * Compares every value of an export, as pyarrow and as DuckDB read it, with what the server's own functions print of the source.
 *
 * @returns what differs; nothing where all is the same
 */
export const compareExport = async (schema: FreshSchema, directory: string): Promise<readonly string[]> => {
  const { tables } = manifestIn(directory);
  const read = readByOthers(tables.map((table) => join(directory, table.directory)));
  const differences: string[] = [];
  for (const [index, { table, rows }] of tables.entries()) {
    const source = inOrder(await sourceValues(schema, table));
    if (rows !== source.length) differences.push(`${table}: ${rows} rows in the manifest`);
    for (const [reader, found] of Object.entries(read[index] ?? {})) {
      const difference = firstDifference(inOrder(found.rows), source);
      if (difference !== undefined) differences.push(`${table} by ${reader}: ${difference}`);
    }
  }
  return differences;
};
