import { IntegrityError } from "@openemr-ops/core/errors";
import type { StreamDigest } from "@openemr-ops/database/sqlScanner";
import type { Manifest } from "../manifest.ts";

/** Figures of all rows of a table, where the manifest has those of a part only. */
export interface WholeRows {
  readonly name: string;
  readonly rows: number;
  readonly sha256: string;
}

/**
 * What tables of an earlier dump have to hold. A manifest without a `rowRule` leaves out the rows on the line of
 * `INSERT … VALUES`. Where the stored stream has such rows, and the others are as the manifest says, the figures of all
 * are the stream's own.
 *
 * @param stream of the stored rows
 * @returns nothing for a manifest that covers all rows
 * @throws {IntegrityError} the others are not as the manifest says
 */
export const wholeRows = ({ database }: Manifest, stream: StreamDigest): readonly WholeRows[] => {
  if (database.rowRule === "all") return [];
  const stored = new Map(stream.tables.map((table) => [table.name, table]));
  return database.tables.flatMap(({ name, rows, sha256 }) => {
    const [all, others] = [stored.get(name), stream.withoutFirstRows.get(name)];
    if (!all || !others) return [];
    if (others.rows !== rows || others.sha256 !== sha256)
      throw new IntegrityError(`the stored dump holds other rows of table ${name} than its manifest says`);
    return [{ name, rows: all.rows, sha256: all.sha256 }];
  });
};
