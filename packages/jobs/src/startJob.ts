import { createHash } from "node:crypto";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { scheduledKinds } from "@openemr-ops/events/jobKinds";
import type { StartRequest } from "@openemr-ops/events/workflowSteps";
import { workflowOf } from "./endExecution.ts";

/** Starts workflows. */
export interface StartsExecutions {
  /** `started` is false when an execution with that name exists or existed. */
  start(request: {
    readonly stateMachineArn: string;
    readonly name: string;
    readonly input: unknown;
  }): Promise<{ readonly executionArn: string; readonly started: boolean }>;
}

export interface StartedJob {
  readonly jobId: string;
  /** ARN. */
  readonly execution: string;
  /** False when an earlier message for the same due time started it. */
  readonly started: boolean;
}

/** The job of one due time: a ULID of that time, always the same. */
export const scheduledJobId = ({ installation, kind, dueAt }: Omit<StartRequest, "stateMachine" | "input">): string => {
  const digest = createHash("sha256").update(`${installation}\n${kind}`).digest();
  const bytes = digest.values();
  return ulid(new Date(dueAt), () => (bytes.next().value ?? 0) / 256);
};

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

/** Accepts only what a schedule sends: a kind that schedules may start, with its own installation in the input. */
const assertScheduled = ({ kind, installation, stateMachine }: StartRequest, stage: string): void => {
  if (!scheduledKinds.some((scheduled) => scheduled === kind))
    refuse("kind", `expected ${scheduledKinds.join(", ")}; a ${kind} is started by a person`);
  const workflow = workflowOf(stage, stateMachine);
  if (workflow?.installation !== installation || workflow.kind !== kind)
    refuse("stateMachine", `expected the workflow of stage ${stage} that does a ${kind} of ${installation}`);
};

/** The schedule of an installation whose stack is still there, but which was removed from the configuration. */
export interface NotConfigured {
  readonly jobId: string;
  readonly started: false;
  readonly reason: string;
}

export interface StartContext {
  readonly stage: string;
  /** Installations of the configuration that was deployed last. */
  readonly configured: ReadonlySet<string>;
}

/**
 * Starts the job of one due time. Repeated messages of the schedule start it once. Of an installation that is no longer in the
 * configuration nothing is started: CloudFormation keeps its stack, with its schedules, until a person deletes it.
 *
 * @throws {InvalidInputError} fatal: a schedule may not start this job
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const startJob = async (
  request: StartRequest,
  { stage, configured }: StartContext,
  executions: StartsExecutions,
): Promise<StartedJob | NotConfigured> => {
  assertScheduled(request, stage);
  const jobId = scheduledJobId(request);
  const { installation } = request;
  if (!configured.has(installation))
    return { jobId, started: false, reason: `${installation} is not in the configuration` };
  const { executionArn, started } = await executions.start({
    stateMachineArn: request.stateMachine,
    name: jobId,
    input: request.input,
  });
  return { jobId, execution: executionArn, started };
};
