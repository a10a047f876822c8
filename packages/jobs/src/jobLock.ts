import { lockedByWorkflow, workflowLeaseSeconds } from "@openemr-ops/core/locks";
import type { JobInHand } from "@openemr-ops/events/workflowSteps";
import type { JobPorts } from "./ports.ts";

/**
 * Takes the lock that a job works under, for its container to go on with: same owner, same fence. A dry run and a check
 * change nothing, so they need none.
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

/** Lets go of the job's lock, if it holds one; after `seconds` where its container may still be at work. Safe to repeat. */
export const letGo = async (
  { jobId, kind, installation }: Omit<JobInHand, "dryRun">,
  { locks }: JobPorts,
  seconds = 0,
): Promise<void> => {
  const resource = lockedByWorkflow[kind];
  if (resource) await locks.expireWithin({ installation, resource, owner: jobId }, seconds);
};
