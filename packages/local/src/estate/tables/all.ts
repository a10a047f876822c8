import type { EstateTable } from "../table.ts";
import { clinicalTables } from "./clinical.ts";
import { ledgerTables } from "./ledger.ts";
import { leftoverTables } from "./leftovers.ts";
import { peopleTables } from "./people.ts";
import { recordTables } from "./records.ts";
import { settingsTables } from "./settings.ts";

/** Every table of the estate; a table comes after those that its foreign keys name. */
export const estateTables: readonly EstateTable[] = [
  ...settingsTables,
  ...peopleTables,
  ...clinicalTables,
  ...recordTables,
  ...leftoverTables,
  ...ledgerTables,
];
