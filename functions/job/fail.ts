import { failRequest } from "@openemr-ops/events/workflowSteps";
import { failJob } from "@openemr-ops/jobs/failJob";
import * as z from "zod";
import { controlPlane } from "../shared/controlPlane.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { ports } = controlPlane(process.env);

/** A person can give an execution a name that no job may have. It fails, and is reported like every failure. */
const anyFailure = failRequest.extend({ execution: failRequest.shape.execution.extend({ name: z.string() }) });

/** Last step of every workflow that failed; returns the failure that the execution ends with. */
export const handler = taskHandler(anyFailure, (request) => failJob(request, ports));
