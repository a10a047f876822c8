import { failRequest } from "@openemr-ops/events/workflowSteps";
import { failJob } from "@openemr-ops/jobs/failJob";
import { controlPlane } from "../shared/controlPlane.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { ports } = controlPlane(process.env);

/** Last step of every workflow that failed; answers what the execution shall fail with. */
export const handler = taskHandler(failRequest, (request) => failJob(request, ports));
