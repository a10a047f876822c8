import { type OpsError, TargetNotEmptyError, toOpsError } from "@openemr-ops/core/errors";
import type { RegisteredTable, TableCatalogue } from "@openemr-ops/core/tableCatalogue";

/**
 * Registers the tables of a complete export. Never throws: the export is complete either way, and the next one registers its own.
 * Tables that this export does not have stay as they are: they point to the export that had them.
 *
 * @param below as for `TableCatalogue.register`
 */
export const registerTables = async (
  catalogue: TableCatalogue,
  tables: readonly RegisteredTable[],
  below: string,
  warn: (message: string) => void,
): Promise<void> => {
  for (const [index, table] of tables.entries()) {
    try {
      await catalogue.register(table, below);
    } catch (error) {
      const failure: OpsError = toOpsError(error);
      if (failure instanceof TargetNotEmptyError) warn(failure.message);
      else {
        warn(
          `the export is complete, but ${tables.length - index} of its ${tables.length} tables are not registered in ${catalogue.name} (${failure.name}: ${failure.message}); the next export registers its tables again`,
        );
        return;
      }
    }
  }
};
