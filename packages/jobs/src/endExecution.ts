import type { JobEnding } from "@openemr-ops/core/jobs";
import { stateMachineOf, type WorkflowKind, workflowKinds } from "@openemr-ops/events/jobKinds";
import type { NamedFailure } from "@openemr-ops/events/workflowSteps";
import { endJob } from "./endJob.ts";
import { jobIdOf } from "./jobRecord.ts";
import { lingering, mayLinger } from "./lingering.ts";
import { isOurs, nameFailure } from "./nameFailure.ts";
import type { JobPorts } from "./ports.ts";

/** How Step Functions ended an execution that did not succeed. */
export interface ExecutionEnd {
  /** ARN. */
  readonly execution: string;
  readonly name: string;
  /** ARN. */
  readonly stateMachine: string;
  readonly status: "FAILED" | "TIMED_OUT" | "ABORTED";
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** The execution's input; absent when it is too long for the event. */
  readonly input?: unknown;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/** The installation and kind of a state machine, from its name; undefined when it does not belong to this stage. */
export const workflowOf = (
  stage: string,
  stateMachine: string,
): { readonly installation: string; readonly kind: WorkflowKind } | undefined => {
  const name = stateMachine.slice(stateMachine.lastIndexOf(":") + 1);
  for (const kind of workflowKinds) {
    const [before = "", after = ""] = stateMachineOf(stage, "/", kind).split("/");
    const installation = name.slice(before.length, name.length - after.length);
    if (installation && name === `${before}${installation}${after}`) return { installation, kind };
  }
  return undefined;
};

/** Why an execution did not succeed, under a name of ours. */
export const failureOf = ({ status, error, cause }: Pick<ExecutionEnd, "status" | "error" | "cause">): NamedFailure => {
  const failure = nameFailure(error, cause);
  if (status === "FAILED") return failure;
  if (status === "TIMED_OUT")
    return { name: "JobTimeoutError", message: "the workflow ran longer than its time limit" };
  const message = isOurs(error) ? failure.message : "a person stopped the execution before it ended";
  return { name: "JobAbortedError", message };
};

const saysDryRun = (input: unknown): boolean =>
  typeof input === "object" && input !== null && "dryRun" in input && input.dryRun === true;

/**
 * Closes the job of an execution that ended without reporting: stopped by a person, timed out, or its report failed.
 * A job that has already ended does not change. Safe to repeat.
 *
 * A running container finds out within seconds that its workflow has ended, stops and releases the lock, within a minute
 * at the latest. Without a container the lock is released at once.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const endExecution = async (end: ExecutionEnd, stage: string, ports: JobPorts): Promise<void> => {
  const workflow = workflowOf(stage, end.stateMachine);
  if (!workflow) return;
  const error = failureOf(end);
  const ending: JobEnding = {
    status: end.status === "ABORTED" ? "aborted" : "failed",
    endedAt: end.endedAt.toISOString(),
    error,
  };
  const job = {
    ...workflow,
    jobId: jobIdOf(end.name),
    dryRun: saysDryRun(end.input),
    execution: end.execution,
    requestedAt: end.startedAt,
  };
  await endJob(job, ending, ports, end.status === "ABORTED" || mayLinger(error.name) ? lingering : undefined);
};
