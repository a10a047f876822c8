import { JobAbortedError, OpsError, toOpsError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import type { JobListener, JobRecord, JobStore } from "@openemr-ops/core/jobs";
import type { LockStore } from "@openemr-ops/core/locks";
import { withLocks } from "@openemr-ops/core/withLock";
import { type LockingInput, locksOf } from "@openemr-ops/events/jobKinds";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";

/** The outcome of a job: the whole result, and the figures and identifiers that its record keeps. */
export interface Outcome<Result> {
  readonly result: Result;
  readonly report: TaskReport;
  /** Exit status of a program that no workflow runs, where it is not 0. */
  readonly exitCode?: number;
}

/** Records and locks of a program that no workflow runs. */
export interface RunPorts {
  readonly jobs: Pick<JobStore, "save">;
  readonly locks: LockStore;
  readonly now: () => Date;
  /** Aborted when someone asks the program to stop. */
  readonly signal: AbortSignal;
  readonly warn?: (message: string) => void;
  /** Gets the record at the job's start and at its end. */
  readonly listen?: JobListener;
}

const abortion = ({ reason }: AbortSignal, cause: unknown): OpsError =>
  reason instanceof OpsError
    ? reason
    : new JobAbortedError("stopped on request before its end; run the same command again", {
        cause,
      });

/** Runs work that fails once `signal` is aborted, with the reason for that: {JobAbortedError} where it has no name of ours. */
export const stoppedBy = async <Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (failure) {
    throw signal.aborted ? abortion(signal, failure) : toOpsError(failure);
  }
};

/** A dead program's locks are free after that. */
const leaseSeconds = 120;

/**
 * A record by hand has no input: the copy that a job works on is part of its result from the start, or the place (`to`)
 * where that is none of the configuration's copies.
 */
const placeIn = (input: LockingInput): Pick<JobRecord, "result"> => {
  if ("to" in input && input.to !== undefined) return { result: { destination: String(input.to) } };
  return "copy" in input && input.copy !== undefined ? { result: { copy: String(input.copy) } } : {};
};

/**
 * Runs one job by hand or by cron: under a record of its own, `running`, then `succeeded`, `failed` or `aborted`, and under
 * its locks. `work` gets a signal that is also aborted when a lock is lost, and the record as it is while the job runs. A
 * record that cannot be kept never hides the job's own end.
 *
 * @throws {InstallationBusyError} retryable: another job holds one of the locks
 * @throws what `work` throws; what fails because someone asked the job to stop is a {JobAbortedError}
 */
export const runJob = async <Result>(
  installation: string,
  input: LockingInput,
  { jobs, locks, now, signal, warn = () => undefined, listen = async () => undefined }: RunPorts,
  work: (signal: AbortSignal, running: JobRecord) => Promise<Outcome<Result>>,
): Promise<Outcome<Result>> => {
  const jobId = ulid(now());
  const startedAt = now().toISOString();
  const running: JobRecord = {
    jobId,
    kind: input.kind,
    installation,
    status: "running",
    dryRun: input.dryRun,
    requestedAt: startedAt,
    startedAt,
    ...placeIn(input),
  };
  const held = locksOf(input).map((resource) => ({ installation, resource, owner: jobId, leaseSeconds }));
  await jobs.save(running);
  await listen(running);
  try {
    const outcome = await stoppedBy(signal, () =>
      withLocks(locks, held, (whileHeld) => work(whileHeld, running), { now, signal, warn }),
    );
    const { figures, result } = outcome.report;
    const end = { figures, result: { ...running.result, ...result }, endedAt: now().toISOString() };
    const ended: JobRecord = { ...running, ...end, status: "succeeded" };
    await jobs.save(ended);
    await listen(ended);
    return outcome;
  } catch (failure) {
    const { name, message } = toOpsError(failure);
    const status = signal.aborted ? ("aborted" as const) : ("failed" as const);
    const ended: JobRecord = { ...running, status, endedAt: now().toISOString(), error: { name, message } };
    await jobs.save(ended).catch(() => {});
    await listen(ended);
    throw failure;
  }
};
