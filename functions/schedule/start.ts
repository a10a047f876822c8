import { executions } from "@openemr-ops/aws/executions";
import { startRequest } from "@openemr-ops/events/workflowSteps";
import { startJob } from "@openemr-ops/jobs/startJob";
import { readStage } from "../shared/environment.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const stage = readStage(process.env);
const workflows = executions();

/** Told by a schedule that its time has come: starts the job of that time. */
export const handler = taskHandler(startRequest, (request) => startJob(request, stage, workflows));
