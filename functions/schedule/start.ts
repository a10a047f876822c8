import { executions } from "@openemr-ops/aws/executions";
import { startRequest } from "@openemr-ops/events/workflowSteps";
import { startJob } from "@openemr-ops/jobs/startJob";
import { readConfigured, readStage } from "../shared/environment.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const context = { stage: readStage(process.env), configured: readConfigured(process.env) };
const workflows = executions();

/** Runs when a schedule is due: starts the job of that due time, unless its installation was removed. */
export const handler = taskHandler(startRequest, (request) => startJob(request, context, workflows));
