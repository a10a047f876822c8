import { JobAbortedError, OpsError, toOpsError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import type { JobKind, JobRecord } from "@openemr-ops/core/jobs";
import type { DumpContext } from "../context.ts";

/** What a job leaves in its record. */
export interface JobOutcome<Result> {
  readonly result: Result;
  readonly figures?: Readonly<Record<string, number>>;
  readonly identifiers?: Readonly<Record<string, string>>;
}

const abortion = ({ reason }: AbortSignal, cause: unknown): OpsError =>
  reason instanceof OpsError
    ? reason
    : new JobAbortedError("stopped on request before it came to its end; the same command can be given again", {
        cause,
      });

/**
 * Runs one job under a record of its own: `running`, then `succeeded`, `failed` or `aborted`. A failure leaves under its
 * name; what fails because someone asked the job to stop is a {JobAbortedError}. A record that cannot be kept never hides
 * the job's own end.
 *
 * @throws {ToolMissingError} refused: a program that the store needs is missing or too old; no work was begun
 */
export const runJob = async <Result>(
  context: DumpContext,
  kind: JobKind,
  dryRun: boolean,
  work: (jobId: string) => Promise<JobOutcome<Result>>,
): Promise<Result> => {
  const jobId = context.jobId ?? ulid(context.now());
  const startedAt = context.now().toISOString();
  let record: JobRecord = {
    jobId,
    kind,
    installation: context.installation,
    status: "running",
    dryRun,
    requestedAt: startedAt,
    startedAt,
  };
  await context.jobs.save(record);
  try {
    await context.store.describeTools();
    const { result, figures, identifiers } = await work(jobId);
    record = {
      ...record,
      status: "succeeded",
      endedAt: context.now().toISOString(),
      ...(figures ? { figures } : {}),
      ...(identifiers ? { result: identifiers } : {}),
    };
    await context.jobs.save(record);
    return result;
  } catch (failure) {
    const error = context.signal.aborted ? abortion(context.signal, failure) : toOpsError(failure);
    await context.jobs
      .save({
        ...record,
        status: context.signal.aborted ? "aborted" : "failed",
        endedAt: context.now().toISOString(),
        error: { name: error.name, message: error.message },
      })
      .catch(() => {});
    throw error;
  }
};
