import { type FailRequest, failRequest, type NamedFailure, taskReport } from "@openemr-ops/events/workflowSteps";
import { endJob } from "./endJob.ts";
import { jobIdOf, momentOf } from "./jobRecord.ts";
import { lingering, mayLinger } from "./lingering.ts";
import { nameFailure } from "./nameFailure.ts";
import type { JobPorts } from "./ports.ts";

const valuesOf = (state: unknown): readonly unknown[] =>
  typeof state === "object" && state !== null ? Object.values(state) : [];

/** Whether the execution's state says that this is a dry run: in its input or in its job. */
const saysDryRun = (state: unknown): boolean =>
  [state, ...valuesOf(state)].some(
    (value) => typeof value === "object" && value !== null && "dryRun" in value && value.dryRun === true,
  );

/** Results in spite of the failure: a container's report counts only when the destination was checked. */
const confirmedResult = (state: unknown): Readonly<Record<string, string>> => {
  for (const value of valuesOf(state)) {
    const { data } = taskReport.safeParse(value);
    if (data?.result.confirmedAt !== undefined) return data.result;
  }
  return {};
};

const fieldOf = (state: unknown, name: string): unknown =>
  typeof state === "object" && state !== null ? Object.entries(state).find(([key]) => key === name)?.[1] : undefined;

/** Whether a rotation went back to the user before, in words that follow its failure's; empty where it had no need to. */
const wayBack = (state: unknown): string => {
  const failed = failRequest.shape.failure.safeParse(fieldOf(state, "rollBackFailure"));
  if (failed.success) {
    const { name, message } = nameFailure(failed.data.Error, failed.data.Cause);
    return `; the way back failed too (${name}: ${message})`;
  }
  const { data } = taskReport.safeParse(fieldOf(state, "rolledBack"));
  return data?.result.user === undefined ? "" : `; OpenEMR uses the database user ${data.result.user}`;
};

/**
 * Last step of a job that failed: writes the record, publishes `JobFailed`, releases the lock. Creates the record if the
 * first step did not. Never releases another job's lock. Safe to repeat.
 *
 * @returns the failure that the execution ends with
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const failJob = async (request: FailRequest, ports: JobPorts): Promise<NamedFailure> => {
  const { kind, installation, execution, state } = request;
  const now = ports.now();
  const failure = nameFailure(request.failure.Error, request.failure.Cause);
  const error = { ...failure, message: `${failure.message}${wayBack(state)}` };
  await endJob(
    {
      jobId: jobIdOf(execution.name),
      kind,
      installation,
      dryRun: saysDryRun(state),
      execution: execution.id,
      requestedAt: momentOf(execution.startedAt, now),
    },
    { status: "failed", endedAt: now.toISOString(), error, result: confirmedResult(state) },
    ports,
    mayLinger(error.name) ? lingering : undefined,
  );
  return error;
};
