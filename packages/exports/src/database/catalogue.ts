import { type OpsError, TargetNotEmptyError, toOpsError } from "@openemr-ops/core/errors";
import type { CatalogueTable } from "./athena.ts";

/** A table of one export, as a catalogue has it. */
export interface RegisteredTable extends CatalogueTable {
  /** The directory of its files, with a slash at the end. */
  readonly location: string;
  readonly exportId: string;
  readonly profile: string;
}

/** Where Athena, Spark and notebooks look tables up, such as a database of Glue. */
export interface TableCatalogue {
  readonly name: string;
  /**
   * Makes a table, or has the one of that name point to this export. Safe to repeat.
   *
   * @param below where the tables of exports lie: one that lies elsewhere is somebody else's, and stays as it is
   * @throws {TargetNotEmptyError} refused: the table of that name lies elsewhere
   * @throws the `ControlPlane…Error` family
   */
  register(table: RegisteredTable, below: string): Promise<void>;
}

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
