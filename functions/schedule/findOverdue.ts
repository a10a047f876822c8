import { overdueRequest } from "@openemr-ops/events/workflowSteps";
import { findOverdue } from "@openemr-ops/jobs/findOverdue";
import { controlPlane } from "../shared/controlPlane.ts";
import { readConfigured } from "../shared/environment.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { ports } = controlPlane(process.env);
const configured = readConfigured(process.env);

/** Runs every 15 minutes: reports an installation's scheduled jobs that did not succeed in time. */
export const handler = taskHandler(overdueRequest, (request) => findOverdue(request, configured, ports));
