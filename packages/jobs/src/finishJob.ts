import type { FinishRequest, TaskReport } from "@openemr-ops/events/workflowSteps";
import { endJob } from "./endJob.ts";
import type { JobPorts } from "./ports.ts";

/** Merges reports in order. If two reports use one name, the earlier wins: the job's own work comes before the clean-up. */
const merged = <Key extends keyof TaskReport>(reports: readonly TaskReport[], key: Key): TaskReport[Key] =>
  Object.assign({}, ...[...reports, ...reports.toReversed()].map((report) => report[key]));

/** The output of an execution that succeeded. */
export interface FinishedJob extends TaskReport {
  readonly jobId: string;
}

/**
 * Last step of a job that succeeded: writes the record, publishes `JobSucceeded`, releases the lock. Safe to repeat. A job
 * that has already ended in another way, because a person stopped it, keeps that end.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const finishJob = async ({ job, reports }: FinishRequest, ports: JobPorts): Promise<FinishedJob> => {
  const now = ports.now();
  const done = { figures: merged(reports, "figures"), result: merged(reports, "result") };
  await endJob({ ...job, requestedAt: now }, { status: "succeeded", endedAt: now.toISOString(), ...done }, ports);
  return { jobId: job.jobId, ...done };
};
