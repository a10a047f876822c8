import { lockedByWorkflow, workflowLeaseSeconds } from "@openemr-ops/core/locks";
import type { JobInHand } from "@openemr-ops/events/workflowSteps";
import type { JobPorts } from "./ports.ts";

/**
 * Acquires the lock of a job. Its container continues to hold it, with the same owner and fence. A dry run and a check
 * change nothing, so they need no lock.
 *
 * @throws {InstallationBusyError} names the holder
 */
export const takeLock = async (job: JobInHand, { locks }: JobPorts): Promise<void> => {
  const resource = lockedByWorkflow[job.kind];
  if (resource && !job.dryRun)
    await locks.acquire({
      installation: job.installation,
      resource,
      owner: job.jobId,
      leaseSeconds: workflowLeaseSeconds,
    });
};

/** Releases the job's lock, if it holds one; after `seconds` when its container may still be running. Safe to repeat. */
export const letGo = async (
  { jobId, kind, installation }: Omit<JobInHand, "dryRun">,
  { locks }: JobPorts,
  seconds = 0,
): Promise<void> => {
  const resource = lockedByWorkflow[kind];
  if (resource) await locks.expireWithin({ installation, resource, owner: jobId }, seconds);
};
