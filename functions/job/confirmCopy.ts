import { IntegrityError } from "@openemr-ops/core/errors";
import { confirmDump } from "@openemr-ops/dumps/steps/confirmDump";
import { confirmRequest, type TaskReport } from "@openemr-ops/events/workflowSteps";
import { readCopySettings } from "../shared/confirmSettings.ts";
import { openDeployedDestination } from "../shared/deployedDestination.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { installation, format, copies } = readCopySettings(process.env);

/**
 * Checks that the newest dump that a container copied is complete at the copy, by what the copy's own store answers. Returns
 * the report with `confirmedAt` among its results.
 */
export const handler = taskHandler(confirmRequest, async ({ report }): Promise<TaskReport> => {
  const { manifestDigest, manifestSnapshot, databaseSnapshot, sitesSnapshot, ...result } = report.result;
  const store = copies[Number(result.copy) - 1];
  if (!store) throw new IntegrityError("the task named no copy of this installation; nothing was confirmed");
  const snapshots = { manifestSnapshot, databaseSnapshot, sitesSnapshot };
  const reported = { dumpId: result.dumpId, manifestDigest, ...snapshots };
  const destination = await openDeployedDestination(store);
  const { dumpId } = await confirmDump(reported, { installation, format, destination });
  return { ...report, result: { ...result, dumpId, confirmedAt: new Date().toISOString() } };
});
