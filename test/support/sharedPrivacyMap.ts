import { existsSync, readFileSync } from "node:fs";

/** Fields of a line; quotes only around whole fields. */
const fieldsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
  );

const read = (file: string): readonly Readonly<Record<string, string>>[] => {
  const url = new URL(`../../../shared/${file}`, import.meta.url);
  if (!existsSync(url)) return [];
  const [header = "", ...lines] = readFileSync(url, "utf8").trim().split(/\r?\n/);
  const names = fieldsOf(header);
  return lines.map((line) => {
    const fields = fieldsOf(line);
    return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? ""]));
  });
};

/** A judgement of OpenEMR's schema by others; a field of a line is empty where there is nothing to say. */
export interface SharedPrivacyMap {
  readonly columns: readonly {
    readonly table: string;
    readonly column: string;
    readonly type: string;
    readonly nullable: boolean;
    readonly category: string;
    readonly confidence: string;
  }[];
  readonly secrets: readonly { readonly table: string; readonly column: string }[];
  /** What is recommended for a whole table: `keep`, `keep_after_column_drop`, `transform` or `drop`. */
  readonly tables: ReadonlyMap<string, string>;
}

/** It may lie beside this project, in `../shared`; without it our own lists cover the same promises. */
export const sharedPrivacyMap = (): SharedPrivacyMap | undefined => {
  const columns = read("openemr-columns.csv");
  if (columns.length === 0) return undefined;
  return {
    columns: columns.map(({ table = "", column = "", type = "", nullable, category = "", confidence = "" }) => ({
      table,
      column,
      type,
      nullable: nullable === "yes",
      category,
      confidence,
    })),
    secrets: read("openemr-secret-columns.csv").map(({ table = "", column = "" }) => ({ table, column })),
    tables: new Map(
      read("openemr-tables.csv").map(({ table = "", deid_recommendation = "" }) => [table, deid_recommendation]),
    ),
  };
};
