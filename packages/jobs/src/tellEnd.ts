import type { JobRecord } from "@openemr-ops/core/jobs";
import type { JobEvent } from "@openemr-ops/events/jobEvent";
import type { JobInHand } from "@openemr-ops/events/workflowSteps";
import type { JobPorts } from "./ports.ts";

const eventOf = ({ jobId, kind, installation }: Omit<JobInHand, "dryRun">, record: JobRecord, now: Date): JobEvent => {
  const { endedAt = now.toISOString(), requestedAt, status, dryRun, execution, figures = {}, result = {} } = record;
  const detail = {
    version: 1 as const,
    installation,
    kind,
    jobId,
    dryRun,
    at: endedAt,
    seconds: Math.max(0, (Date.parse(endedAt) - Date.parse(requestedAt)) / 1000),
    result,
    ...(execution === undefined ? {} : { execution }),
  };
  if (status === "succeeded") return { name: "JobSucceeded", detail: { ...detail, figures } };
  const { error = { name: "UnexpectedError", message: "the job ended without reporting a result" } } = record;
  return { name: "JobFailed", detail: { ...detail, status: status === "aborted" ? "aborted" : "failed", error } };
};

/**
 * Publishes a job's end as its record has it, whichever caller ended it.
 *
 * @param key one for each job, so that the end is published once
 * @throws {ControlPlaneUnavailableError} retryable; the next caller publishes what was not published
 */
export const tellEnd = async (
  job: Omit<JobInHand, "dryRun">,
  record: JobRecord,
  { ledger, publish, now }: JobPorts,
  key = job.jobId,
): Promise<void> => {
  await ledger.once({ topic: "ended", installation: job.installation, key }, () =>
    publish(eventOf(job, record, now())),
  );
};
