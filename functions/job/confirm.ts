import { confirmDump } from "@openemr-ops/dumps/steps/confirmDump";
import { confirmRequest, type TaskReport } from "@openemr-ops/events/workflowSteps";
import { readConfirmSettings } from "../shared/confirmSettings.ts";
import { openDeployedDestination } from "../shared/deployedDestination.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { installation, format, ...store } = readConfirmSettings(process.env);

/**
 * Checks that the dump that a container reports is complete at the destination. Returns the report with `confirmedAt`
 * among its results. Without it, no later step counts the report as a dump.
 */
export const handler = taskHandler(confirmRequest, async ({ report }): Promise<TaskReport> => {
  const { manifestDigest, manifestSnapshot, ...result } = report.result;
  const reported = { dumpId: result.dumpId, manifestDigest, manifestSnapshot };
  const destination = await openDeployedDestination(store);
  const { dumpId } = await confirmDump(reported, { installation, format, destination });
  return { ...report, result: { ...result, dumpId, confirmedAt: new Date().toISOString() } };
});
