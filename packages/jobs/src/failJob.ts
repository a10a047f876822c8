import { type FailRequest, type NamedFailure, taskReport } from "@openemr-ops/events/workflowSteps";
import { endJob } from "./endJob.ts";
import { jobIdOf, momentOf } from "./jobRecord.ts";
import { lingering, mayLinger } from "./lingering.ts";
import { nameFailure } from "./nameFailure.ts";
import type { JobPorts } from "./ports.ts";

const valuesOf = (state: unknown): readonly unknown[] =>
  typeof state === "object" && state !== null ? Object.values(state) : [];

/** Whether any of what the execution knew, its input or the job in hand, says that it is a dry run. */
const saysDryRun = (state: unknown): boolean =>
  [state, ...valuesOf(state)].some(
    (value) => typeof value === "object" && value !== null && "dryRun" in value && value.dryRun === true,
  );

/** What came out all the same: what a container said of itself counts only where the destination was looked at. */
const confirmedResult = (state: unknown): Readonly<Record<string, string>> => {
  for (const value of valuesOf(state)) {
    const { data } = taskReport.safeParse(value);
    if (data?.result.confirmedAt !== undefined) return data.result;
  }
  return {};
};

/**
 * Last step of a job that failed: record, `JobFailed`, lock. Also where its first step never came to record it: then the
 * record is made here. Never frees another job's lock. Safe to repeat.
 *
 * @returns what the execution shall fail with
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const failJob = async (request: FailRequest, ports: JobPorts): Promise<NamedFailure> => {
  const { kind, installation, execution, state } = request;
  const now = ports.now();
  const error = nameFailure(request.failure.Error, request.failure.Cause);
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
