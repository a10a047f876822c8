import type { RegisteredTable } from "@openemr-ops/core/tableCatalogue";
import type { SkippedTable } from "../context.ts";
import { catalogueTables, createTable } from "./athena.ts";
import type { ColumnReport, TableReport } from "./exportTable.ts";

/** What is true of the whole export. */
export interface ExportFacts {
  readonly exportId: string;
  readonly installation: string;
  readonly profile: string;
  readonly schema: string;
  /** Tables of which rows stay have those of this day and later; not set: all tables are whole. */
  readonly since?: string;
  /** Where it is, for people and catalogues. */
  readonly location: string;
  /** The moment of the snapshot, by the server's clock. */
  readonly snapshotAt: string;
  readonly server: { readonly version: string; readonly name: string };
  /** The server's zone and OpenEMR's, as far as they are set. */
  readonly zones: { readonly server: string | null; readonly openemr: string | null };
}

const version = 1;

const typeInWords = ({ parquet: { type } }: ColumnReport): string => {
  const { physical, length, logical } = type;
  const base = length === undefined ? physical : `${physical}(${length})`;
  if (!logical) return base;
  if (logical.kind === "decimal") return `${base} DECIMAL(${logical.precision},${logical.scale})`;
  if (logical.kind === "timestamp") return `${base} TIMESTAMP(MICROS,${logical.utc ? "UTC" : "no zone"})`;
  return `${base} ${logical.kind.toUpperCase()}`;
};

const columnEntry = (column: ColumnReport, catalogueType: string, catalogueName: string) => ({
  name: column.name,
  mysqlType: column.columnType ?? null,
  parquetType: typeInWords(column),
  athena: { name: catalogueName, type: catalogueType },
  treatment: column.treatment,
  ...(column.note === undefined ? {} : { note: column.note }),
  nulledDates: column.losses.nulledDates,
  replacedTexts: column.losses.replacedTexts,
});

const catalogueOf = (tables: readonly TableReport[]) =>
  catalogueTables(
    tables.map(({ table, columns }) => ({ name: table, columns: columns.map(({ parquet }) => parquet) })),
  );

/**
 * The tables of an export for a catalogue, with the names and types of `_schema.json`. A table whose older rows were left out is
 * not among them: queries would take it for the whole.
 */
export const tablesToRegister = (
  tables: readonly TableReport[],
  { exportId, location, profile }: ExportFacts,
): readonly RegisteredTable[] =>
  catalogueOf(tables).flatMap((table, index) => {
    const { directory, leftOut = 0 } = tables[index] ?? {};
    return leftOut > 0 ? [] : [{ ...table, location: `${location}/${directory}/`, exportId, profile }];
  });

/** `_schema.json`: each column of each table, and its treatment. */
export const schemaDocument = (tables: readonly TableReport[]): string => {
  const catalogue = catalogueOf(tables);
  return JSON.stringify(
    {
      version,
      tables: tables.map(({ table, directory, columns, dropped }, index) => ({
        table,
        directory,
        athenaTable: catalogue[index]?.name,
        athenaByPlace: catalogue[index]?.byPlace,
        columns: columns.map((column, place) => {
          const { name = "", type = "" } = catalogue[index]?.columns[place] ?? {};
          return columnEntry(column, type, name);
        }),
        dropped,
      })),
    },
    null,
    1,
  );
};

/** `_athena.sql`: one statement a table. */
export const athenaDocument = (tables: readonly TableReport[], { location }: ExportFacts): string =>
  `${catalogueOf(tables)
    .map((table, index) => createTable(table, `${location}/${tables[index]?.directory}`))
    .join("\n\n")}\n`;

/** `_manifest.json`: what is here, and what is not. */
export const manifestDocument = (
  facts: ExportFacts,
  tables: readonly TableReport[],
  skipped: readonly SkippedTable[],
): string =>
  JSON.stringify(
    {
      version,
      /** Whether every table has all of its rows. */
      complete: facts.since === undefined,
      ...facts,
      zones: {
        ...facts.zones,
        datetime: "as stored, without a zone: OpenEMR writes the time of its own zone",
        timestamp: "UTC",
      },
      tables: tables.map(({ table, engine, directory, rows, leftOut, bytes, rawBytes, files }) => ({
        table,
        directory,
        rows,
        ...(leftOut === undefined ? {} : { since: facts.since, leftOut }),
        bytes,
        rawBytes,
        inSnapshot: engine === "InnoDB",
        files,
      })),
      skipped,
    },
    null,
    1,
  );
