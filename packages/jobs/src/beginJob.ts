import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError, JobAbortedError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { jobName } from "@openemr-ops/events/jobEvent";
import type { BeginRequest, Begun } from "@openemr-ops/events/workflowSteps";
import { releaseLocks, takeLocks } from "./jobLocks.ts";
import { isRecordOf, type JobExecution, momentOf, newRecord } from "./jobRecord.ts";
import type { JobPorts } from "./ports.ts";
import { readInput } from "./readInput.ts";

const assertOpen = (record: JobRecord, job: JobExecution): void => {
  if (!isRecordOf(record, job)) {
    const message = `the job ${job.jobId} already exists, for ${record.installation}; start this one with another name`;
    throw new InvalidInputError([{ path: "execution.name", message }]);
  }
  if (record.endedAt !== undefined)
    throw new JobAbortedError(`the job ${job.jobId} has already ended (${record.status}); start a new one`);
};

/**
 * First step of every workflow: checks the input, acquires the locks, records the job, publishes its start. Without the
 * locks there is no record and no event. If a later step fails, the locks are released.
 *
 * Safe to repeat: same locks, same record. `JobStarted` is published once; a second time only when a run stopped between
 * publishing it and recording that.
 *
 * @throws {InvalidInputError} fatal: names each field that is wrong; nothing was changed
 * @throws {InstallationBusyError} names the job that holds a lock
 * @throws {JobAbortedError} fatal: the job has ended already
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const beginJob = async (request: BeginRequest, ports: JobPorts): Promise<Begun> => {
  const { kind, installation, execution } = request;
  const name = parseStrictly(jobName, execution.name);
  if ("issues" in name) throw new InvalidInputError(name.issues.map((issue) => ({ ...issue, path: "execution.name" })));
  const input = readInput(request);
  const job = { jobId: execution.name, kind, installation, dryRun: input.dryRun };
  const run = { ...job, execution: execution.id, requestedAt: momentOf(execution.startedAt, ports.now()) };

  const known = await ports.ledger.get(job);
  if (known) assertOpen(known, run);
  await takeLocks(job, input, ports); // before the record: a caller that ends the job now finds the locks, or this call finds the end
  try {
    assertOpen((await ports.ledger.create({ ...newRecord(run), input })).record, run);
    await ports.ledger.once({ topic: "started", installation, key: job.jobId }, () =>
      ports.publish({
        name: "JobStarted",
        detail: { ...job, version: 1, execution: execution.id, at: ports.now().toISOString() },
      }),
    );
    await ports.ledger.note(job, { name: "begun", by: "workflow", at: ports.now().toISOString() });
  } catch (error) {
    await releaseLocks(job, ports).catch(() => {}); // the leases expire
    throw error;
  }
  return { job, input };
};
