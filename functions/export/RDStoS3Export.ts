import { type StartedDatabaseExport, startedDatabaseExport } from "@openemr-ops/exports/startedDatabaseExport";
import * as z from "zod";
import { taskHandler } from "../shared/taskHandler.ts";
import { readExportSettings } from "./settings.ts";
import { startExport } from "./startExport.ts";

const {
  installation,
  store: { destination },
} = readExportSettings(process.env);

/** Starts an export of the database. Any event, also none. Out: as RDS answers `StartExportTask`, moments as ISO dates. */
export const handler = taskHandler(z.unknown(), async (event): Promise<StartedDatabaseExport> => {
  const { jobId, task, startedAt } = await startExport(event);
  return startedDatabaseExport({ installation, jobId, task, startedAt, place: destination });
});
