import { executions } from "@openemr-ops/aws/executions";
import { startRequest } from "@openemr-ops/events/workflowSteps";
import { startJob } from "@openemr-ops/jobs/startJob";
import { readStage } from "../shared/environment.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const stage = readStage(process.env);
const workflows = executions();

/** Runs when a schedule is due: starts the job of that due time. */
export const handler = taskHandler(startRequest, (request) => startJob(request, stage, workflows));
