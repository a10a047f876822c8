import {
  type ColumnMeaning,
  type Columns,
  columnKinds,
  type PostalPlace,
  type Subject,
  type TableColumns,
} from "./columnKinds.ts";
import { findTable } from "./findTable.ts";
import { codeTables } from "./tables/codes.ts";
import { formTables } from "./tables/forms.ts";
import { organizationTables } from "./tables/organization.ts";
import { patientTables } from "./tables/patients.ts";
import { settingsTables } from "./tables/settings.ts";

const tables: Readonly<Record<string, TableColumns>> = {
  ...patientTables,
  ...formTables,
  ...organizationTables,
  ...settingsTables,
  ...codeTables,
};

const namesIn = (columns: Columns | undefined): readonly string[] => {
  if (columns === undefined) return [];
  return typeof columns === "string" ? columns.trim().split(/\s+/) : columns;
};

const meaningsIn = (table: TableColumns): ReadonlyMap<string, ColumnMeaning> =>
  new Map<string, ColumnMeaning>([
    ...columnKinds.flatMap((kind) => namesIn(table[kind]).map((name) => [name.toLowerCase(), { kind }] as const)),
    ...(Object.entries(table.ids ?? {}) as [Subject, Columns][]).flatMap(([subject, columns]) =>
      namesIn(columns).map((name) => [name.toLowerCase(), { kind: "id", subject }] as const),
    ),
    ...Object.entries<PostalPlace>(table.zip ?? {}).map(
      ([name, place]) => [name.toLowerCase(), { kind: "zip", ...place }] as const,
    ),
  ]);

const known = new Map(Object.entries(tables).map(([name, table]) => [name, meaningsIn(table)] as const));

/** The tables of the map, with their columns as they are written. */
export const knownTables: readonly { readonly name: string; readonly columns: readonly string[] }[] = Object.entries(
  tables,
).map(([name, table]) => ({
  name,
  columns: [
    ...columnKinds.flatMap((kind) => namesIn(table[kind])),
    ...Object.values(table.ids ?? {}).flatMap(namesIn),
    ...Object.keys(table.zip ?? {}),
  ],
}));

/**
 * What each column of one of OpenEMR's tables contains, by its name in lower case: columns that a de-identified export can
 * judge. Columns of secrets and of withheld tables have no entry. Our own reading of the schema of OpenEMR 8.2 and its
 * modules, no legal opinion.
 *
 * @returns undefined for a table that is not known
 */
export const columnsOf = (table: string): ReadonlyMap<string, ColumnMeaning> | undefined => findTable(known, table);
