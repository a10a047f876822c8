import type { TableDescription } from "@openemr-ops/exports/profiles/profile";
import type { SharedPrivacyMap } from "./sharedPrivacyMap.ts";

/** A table as the catalogue describes it, from `name type` pairs. */
export const aTable = (name: string, ...columns: readonly string[]): TableDescription => ({
  name,
  columns: columns.map((column) => {
    const at = column.lastIndexOf(" ");
    const columnType = column.slice(at + 1);
    return { name: column.slice(0, at), columnType, dataType: columnType.replace(/\W.*$/, ""), nullable: true };
  }),
});

/** The whole schema as another map describes it. */
export const describedBy = (map: SharedPrivacyMap): readonly TableDescription[] =>
  [...Map.groupBy(map.columns, ({ table }) => table)].map(([name, columns]) => ({
    name,
    columns: columns.map(({ column, type, nullable }) => ({
      name: column,
      columnType: type,
      dataType: type.replace(/\W.*$/, "").toLowerCase(),
      nullable,
    })),
  }));
