import { createHash } from "node:crypto";
import { ulid } from "@openemr-ops/core/ids";
import type { StartRequest } from "@openemr-ops/events/workflowSteps";

/** Starts workflows. */
export interface StartsExecutions {
  /** `started` is false when there is, or was, an execution with that name. */
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
  /** False when an earlier message for the same due time did it. */
  readonly started: boolean;
}

/** The job of one due time: a ULID of that time, the same however often it is asked for. */
export const scheduledJobId = ({ installation, kind, dueAt }: Omit<StartRequest, "stateMachine" | "input">): string => {
  const digest = createHash("sha256").update(`${installation}\n${kind}`).digest();
  return ulid(new Date(dueAt), (bytes) => digest.subarray(0, bytes));
};

/**
 * Starts the job of one due time, once however often the schedule's message comes.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const startJob = async (request: StartRequest, executions: StartsExecutions): Promise<StartedJob> => {
  const jobId = scheduledJobId(request);
  const { executionArn, started } = await executions.start({
    stateMachineArn: request.stateMachine,
    name: jobId,
    input: request.input,
  });
  return { jobId, execution: executionArn, started };
};
