import type { JobEnding, JobRecord } from "@openemr-ops/core/jobs";
import { letGo } from "./jobLock.ts";
import { isRecordOf, type JobExecution, newRecord } from "./jobRecord.ts";
import type { JobPorts } from "./ports.ts";
import { tellEnd } from "./tellEnd.ts";

/** Does all of several things, however many fail, then fails as the first of them did. */
const settle = async (work: readonly Promise<void>[]): Promise<void> => {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === "rejected") throw outcome.reason;
};

/**
 * Brings a job to its end: in its record, which is made when there is none, then by an event, and its lock is let go.
 * Safe to repeat, and for several callers at once: the first ending counts, and is told once.
 *
 * @param lingering seconds for which the lock may still be needed
 * @throws {ControlPlaneUnavailableError} retryable: repeating does what was left undone
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
    await settle([letGo(job, ports, lingering(ended)), tellEnd(job, ended, ports)]);
  } else {
    // Another job has the name and so the record; this one has no container, since it never began.
    const key = `${job.execution}#${job.requestedAt.toISOString()}`;
    await settle([letGo(job, ports), tellEnd(job, { ...newRecord(job), ...ending }, ports, key)]);
  }
};
