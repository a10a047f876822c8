import { s3Destination } from "@openemr-ops/aws/s3Destination";
import { confirmDump } from "@openemr-ops/dumps/steps/confirmDump";
import { confirmRequest, type TaskReport } from "@openemr-ops/events/workflowSteps";
import { readConfirmSettings } from "../shared/confirmSettings.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { destination: address, ...place } = readConfirmSettings(process.env);
const destination = s3Destination(address);

/**
 * Looks whether the dump that a container reports lies whole at the destination. Answers its report with `confirmedAt`
 * among the results: only that counts as a dump, for who finishes the job and for who reports that a later step failed.
 */
export const handler = taskHandler(confirmRequest, async ({ report }): Promise<TaskReport> => {
  const { manifestDigest, manifestSnapshot, ...result } = report.result;
  const reported = { dumpId: result.dumpId, manifestDigest, manifestSnapshot };
  const { dumpId } = await confirmDump(reported, { ...place, destination });
  return { ...report, result: { ...result, dumpId, confirmedAt: new Date().toISOString() } };
});
