/**
 * By exact name, and by the lower-case name that a server has with `lower_case_table_names`; the entry of another table, which
 * differs from a known one in case alone, is not found.
 */
export const findTable = <Entry>(entries: ReadonlyMap<string, Entry>, table: string): Entry | undefined =>
  entries.get(table) ??
  (table === table.toLowerCase() ? [...entries].find(([name]) => name.toLowerCase() === table)?.[1] : undefined);
