import { failRequest } from "@openemr-ops/events/workflowSteps";
import { failJob } from "@openemr-ops/jobs/failJob";
import * as z from "zod";
import { controlPlane } from "../shared/controlPlane.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { ports } = controlPlane(process.env);

/** A person may give an execution a name that no job can begin under: it fails, and that is reported like any failure. */
const anyFailure = failRequest.extend({ execution: failRequest.shape.execution.extend({ name: z.string() }) });

/** Last step of every workflow that failed; answers what the execution shall fail with. */
export const handler = taskHandler(anyFailure, (request) => failJob(request, ports));
