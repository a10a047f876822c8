import { beginRequest } from "@openemr-ops/events/workflowSteps";
import { beginJob } from "@openemr-ops/jobs/beginJob";
import { controlPlane } from "../shared/controlPlane.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { ports } = controlPlane(process.env);

/** First step of every workflow. */
export const handler = taskHandler(beginRequest, (request) => beginJob(request, ports));
