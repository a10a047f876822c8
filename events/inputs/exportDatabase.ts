import { exportEngine, exportProfile } from "@openemr-ops/core/config/fields";
import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { common } from "./common.ts";

/** Names of tables are values, which the server compares with its catalogue; nothing makes a statement of them unquoted. */
const tableName = z.string({ error: "expected a table's name" }).refine((name) => /^[^\p{Cc}]{1,64}$/u.test(name), {
  error: "expected a table's name of 1 to 64 characters, without control characters",
});

export const tableNames = z
  .array(tableName, { error: "expected a list of tables' names" })
  .min(1, { error: "expected a list of tables' names, one at least" });

const isDay = (text: string): boolean => {
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(text);
};

export const day = z.string({ error: "expected a day such as 2026-01-31" }).refine(isDay, {
  error: "expected a day such as 2026-01-31",
});

export const exportDatabaseInput = strict({
  ...common,
  kind: z.literal("exportDatabase"),
  /** Not set, here and below: the one of the configuration. */
  engine: exportEngine.optional(),
  profile: exportProfile.optional(),
  /** Not set: all that the profile has. */
  tables: tableNames.optional(),
  /** Of tables whose rows never change, those written before this day stay. Not set: all tables are whole. */
  since: day.optional(),
});
export type ExportDatabaseInput = z.output<typeof exportDatabaseInput>;
