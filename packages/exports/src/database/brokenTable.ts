/**
 * Numbers of errors that concern one table: it is damaged, its engine or file is missing, or the user may not read it. Source:
 * MariaDB knowledge base, "MariaDB error codes".
 */
const ofOneTable: ReadonlySet<number> = new Set([
  ...[1016, 1017, 1030, 1033, 1034, 1035, 1142, 1143, 1194, 1195, 1286, 1356, 1712, 1812, 1813, 1877, 1932],
]);

/** Whether a table cannot be read, and all others can. */
export const concernsOneTable = (error: unknown): boolean => {
  const { cause } = error as { readonly cause?: { readonly errno?: number } };
  return ofOneTable.has(cause?.errno ?? 0);
};
