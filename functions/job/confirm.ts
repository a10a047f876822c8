import { s3Destination } from "@openemr-ops/aws/s3Destination";
import { confirmDump } from "@openemr-ops/dumps/steps/confirmDump";
import { confirmRequest, type TaskReport } from "@openemr-ops/events/workflowSteps";
import { readConfirmSettings } from "../shared/confirmSettings.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { destination: address, ...place } = readConfirmSettings(process.env);
const destination = s3Destination(address);

/**
 * Checks that the dump that a container reports is complete at the destination. Returns the report with `confirmedAt`
 * among its results. Without it, no later step counts the report as a dump.
 */
export const handler = taskHandler(confirmRequest, async ({ report }): Promise<TaskReport> => {
  const { manifestDigest, manifestSnapshot, ...result } = report.result;
  const reported = { dumpId: result.dumpId, manifestDigest, manifestSnapshot };
  const { dumpId } = await confirmDump(reported, { ...place, destination });
  return { ...report, result: { ...result, dumpId, confirmedAt: new Date().toISOString() } };
});
