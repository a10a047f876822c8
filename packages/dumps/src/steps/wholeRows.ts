import { IntegrityError } from "@openemr-ops/core/errors";
import type { StreamDigest } from "@openemr-ops/database/sqlScanner";
import type { Manifest } from "../manifest.ts";

/** Figures of the rows of a table that the manifest of an earlier release lacks. */
export interface WholeRows {
  readonly name: string;
  readonly rows: number;
  readonly sha256: string;
  readonly meaningSha256?: string | undefined;
}

/**
 * What tables of an earlier dump have to hold. A manifest without a `rowRule` leaves out the rows on the line of
 * `INSERT … VALUES`. Where the stored stream has such rows, and the others are as the manifest says, the figures of all
 * are the stream's own. So is the digest of rows with JSON by their meaning, where the rows are as the manifest says.
 *
 * @param stream of the stored rows
 * @returns nothing for tables that the manifest covers
 * @throws {IntegrityError} the others are not as the manifest says
 */
export const wholeRows = ({ database }: Manifest, stream: StreamDigest): readonly WholeRows[] => {
  const stored = new Map(stream.tables.map((table) => [table.name, table]));
  return database.tables.flatMap(({ name, rows, sha256, meaningSha256 }) => {
    const all = stored.get(name);
    if (!all) return [];
    const others = database.rowRule === "all" ? all : (stream.withoutFirstRows.get(name) ?? all);
    if (others === all && (meaningSha256 || !all.meaningSha256 || all.sha256 !== sha256)) return [];
    if (others.rows !== rows || others.sha256 !== sha256)
      throw new IntegrityError(`the stored dump holds other rows of table ${name} than its manifest says`);
    return [{ name, rows: all.rows, sha256: all.sha256, meaningSha256: all.meaningSha256 }];
  });
};
