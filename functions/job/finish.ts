import { finishRequest } from "@openemr-ops/events/workflowSteps";
import { finishJob } from "@openemr-ops/jobs/finishJob";
import { controlPlane } from "../shared/controlPlane.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { ports } = controlPlane(process.env);

/** Last step of every workflow that succeeded. */
export const handler = taskHandler(finishRequest, (request) => finishJob(request, ports));
