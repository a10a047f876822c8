import { setTimeout as pause } from "node:timers/promises";
import { dynamoTaskNames } from "@openemr-ops/aws/dynamoTaskNames";
import { executionHistory } from "@openemr-ops/aws/executionHistory";
import { executions } from "@openemr-ops/aws/executions";
import { namesOf } from "@openemr-ops/core/names";
import { assertInstallation, type JoinedJob, joinOrStart } from "@openemr-ops/jobs/joinOrStart";
import { readStage, readVariable } from "../shared/environment.ts";

/** Seconds that a caller waits for the container: boto3 waits no longer than 60. */
const patience = 40;

const stateMachine = readVariable(process.env, "OPENEMR_OPS_WORKFLOW");
const installation = readVariable(process.env, "OPENEMR_OPS_INSTALLATION");
const tasks = dynamoTaskNames({ table: namesOf(readStage(process.env)).jobsTable });
const ports = {
  executions: { ...executions(), ...executionHistory() },
  now: () => new Date(),
  pause: (milliseconds: number) => pause(milliseconds),
};

/**
 * Starts the export of this function's installation, or joins the one that runs. Of the event only `installation` is read:
 * what leaves is the configuration's decision, not the notebook's.
 */
export const startExport = async (event: unknown): Promise<JoinedJob> => {
  assertInstallation(event, installation);
  const job = await joinOrStart({ stateMachine, input: {}, patience }, ports);
  await tasks.remember(installation, job.task, job.jobId);
  return job;
};
