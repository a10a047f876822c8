import type { Destination } from "@openemr-ops/core/destination";
import type { DatabaseExportContext } from "@openemr-ops/exports/context";
import type { Profile } from "@openemr-ops/exports/profiles/profile";
import { accessOf, type FreshSchema } from "./database.ts";

/** Keeps everything: for tests of how values leave. */
export const everything: Profile = {
  name: "everything",
  plan: (tables) => ({
    tables: tables.map(({ name, columns }) => ({
      table: name,
      columns: columns.map((column) => ({ name: column.name, treatment: "kept" })),
      dropped: [],
    })),
    skipped: [],
  }),
};

/** What an export of a test's schema needs. */
export const exportContextOf = (
  schema: FreshSchema,
  destination: Destination,
  own: Partial<DatabaseExportContext> = {},
): DatabaseExportContext => ({
  installation: "clinic-a",
  destination,
  now: () => new Date(),
  signal: new AbortController().signal,
  progress: () => {},
  warn: () => {},
  database: accessOf(schema, schema.dumpUser),
  profile: everything,
  ...own,
});
