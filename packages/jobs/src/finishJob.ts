import type { FinishRequest, TaskReport } from "@openemr-ops/events/workflowSteps";
import { endJob } from "./endJob.ts";
import type { JobPorts } from "./ports.ts";

/** In order; of two reports that use one name, the earlier has it: the job's own work comes before what tidies up after it. */
const merged = <Key extends keyof TaskReport>(reports: readonly TaskReport[], key: Key): TaskReport[Key] =>
  Object.assign({}, ...[...reports, ...reports.toReversed()].map((report) => report[key]));

/** What an execution that went well answers. */
export interface FinishedJob extends TaskReport {
  readonly jobId: string;
}

/**
 * Last step of a job that went well: record, `JobSucceeded`, lock. Safe to repeat. A job that ended otherwise meanwhile,
 * since a person stopped it, stays so.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const finishJob = async ({ job, reports }: FinishRequest, ports: JobPorts): Promise<FinishedJob> => {
  const now = ports.now();
  const done = { figures: merged(reports, "figures"), result: merged(reports, "result") };
  await endJob({ ...job, requestedAt: now }, { status: "succeeded", endedAt: now.toISOString(), ...done }, ports);
  return { jobId: job.jobId, ...done };
};
