import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { SourceDescription } from "@openemr-ops/database/describeSource";
import type { Manifest, SourceWarning } from "../manifest.ts";

const fromSequence = "default-from-sequence";

const firstOf = (tables: SourceDescription["tables"]): string =>
  tables
    .map(({ name }) => name)
    .slice(0, 5)
    .join(", ");

/** What a schema holds that no dump of it brings back whole. */
export const gapWarnings = ({ tables }: SourceDescription): readonly SourceWarning[] => {
  const history = tables.filter((table) => table.history);
  const drawing = tables.filter((table) => table.drawsFromSequence);
  return [
    ...(history.length > 0
      ? [
          {
            code: "history-not-in-dump",
            message: `${history.length} tables are system-versioned, and the dump holds their rows of today without what these were before: ${firstOf(history)}; where the history is needed, keep a copy of the server's files`,
            count: history.length,
          },
        ]
      : []),
    ...(drawing.length > 0
      ? [
          {
            code: fromSequence,
            message: `${drawing.length} tables take values from a sequence, which a copy beside the live schema does from its own, and no restore in place can: ${firstOf(drawing)}`,
            count: drawing.length,
          },
        ]
      : []),
  ];
};

/** @param count rows of `documents` */
export const couchDbWarnings = (count: number): readonly SourceWarning[] =>
  count === 0
    ? []
    : [
        {
          code: "documents-in-couchdb",
          message: `${count} documents have their content in CouchDB, and the dump holds only their rows: back up CouchDB by its own means`,
          count,
        },
      ];

/**
 * Tables keep the name of the schema whose sequence they draw from when they move to another, and can then be neither
 * written nor altered.
 *
 * @throws {TargetUnsuitableError} refused
 */
export const assertDrawsFromNoSequence = ({ warnings }: Manifest): void => {
  const found = warnings.find(({ code }) => code === fromSequence);
  if (found)
    throw new TargetUnsuitableError(
      `${found.message}; nothing was changed. Restore the dump into a new schema and a new directory, and have OpenEMR use these`,
    );
};
