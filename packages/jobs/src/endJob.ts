import type { JobEnding, JobRecord } from "@openemr-ops/core/jobs";
import { releaseLocks } from "./jobLocks.ts";
import { isRecordOf, type JobExecution, newRecord } from "./jobRecord.ts";
import type { JobPorts } from "./ports.ts";
import { tellEnd } from "./tellEnd.ts";

/** Waits for all, then throws the first failure. */
const settle = async (work: readonly Promise<void>[]): Promise<void> => {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === "rejected") throw outcome.reason;
};

/**
 * Ends a job: writes the end to its record (and creates the record if there is none), publishes the event, releases the
 * locks. Safe to repeat, and safe for several callers at once: the first end counts and is published once.
 *
 * @param lingering seconds for which the locks may still be needed
 * @throws {ControlPlaneUnavailableError} retryable: the next call does what is still to do
 */
export const endJob = async (
  job: JobExecution,
  ending: JobEnding,
  ports: JobPorts,
  lingering: (record: JobRecord) => number = () => 0,
): Promise<void> => {
  const { record } = await ports.ledger.create(newRecord(job));
  if (isRecordOf(record, job)) {
    const ended = (await ports.ledger.end(job, ending)) ?? { ...record, ...ending };
    await settle([releaseLocks(job, ports, lingering(ended)), tellEnd(job, ended, ports)]);
  } else {
    // Another job has this name, and so the record and the locks. This one never started.
    const key = `${job.execution}#${job.requestedAt.toISOString()}`;
    await tellEnd(job, { ...newRecord(job), ...ending }, ports, key);
  }
};
