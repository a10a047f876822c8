import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "./connection.ts";
import type { LoadableDump } from "./loadableDump.ts";

/** A character set, a collation or an engine that this server does not have. */
export const unknownToServer: ReadonlySet<number> = new Set([1115, 1273, 1286]);

/**
 * Asks the server for each collation of a dump's tables. Dumps of earlier releases do not tell theirs: there the statement
 * that makes the table fails.
 *
 * @throws {TargetUnsuitableError} refused: names the table and the collation
 */
export const assertCollationsKnown = async (
  control: DatabaseConnection,
  { database: { collations = [] } }: Pick<LoadableDump, "database">,
): Promise<void> => {
  for (const { name, table } of collations) {
    await control.run("SET SESSION collation_connection = ?", [name]).catch((error: unknown) => {
      const { errno = 0 } = ((error as Error).cause ?? {}) as { readonly errno?: number };
      if (!unknownToServer.has(errno)) throw error;
      throw new TargetUnsuitableError(
        `table ${table} has the collation ${name}, which this server does not know: load the dump on a server of the source's product and release`,
        { cause: error },
      );
    });
  }
  if (collations.length > 0) await control.run("SET NAMES utf8mb4");
};
