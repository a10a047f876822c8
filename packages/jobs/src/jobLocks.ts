import { workflowLeaseSeconds } from "@openemr-ops/core/locks";
import { type JobInput, lockOrder, locksOf } from "@openemr-ops/events/jobKinds";
import type { JobPorts } from "./ports.ts";

/** Whose locks they are. */
interface Owner {
  readonly jobId: string;
  readonly installation: string;
}

/**
 * Takes the locks that a job works under, all or none, for its containers to continue under: same owner, same fence.
 *
 * @throws {InstallationBusyError} names the holder
 */
export const takeLocks = async ({ jobId, installation }: Owner, input: JobInput, ports: JobPorts): Promise<void> => {
  try {
    for (const resource of locksOf(input))
      await ports.locks.acquire({ installation, resource, owner: jobId, leaseSeconds: workflowLeaseSeconds });
  } catch (error) {
    await releaseLocks({ jobId, installation }, ports).catch(() => {}); // the leases end by themselves
    throw error;
  }
};

/** Releases every lock that the job holds; after `seconds` where its container may still run. Safe to repeat. */
export const releaseLocks = async (
  { jobId, installation }: Owner,
  { locks }: Pick<JobPorts, "locks">,
  seconds = 0,
): Promise<void> => {
  const held = lockOrder.map((resource) => ({ installation, resource, owner: jobId }));
  await Promise.all(held.map((lock) => locks.expireWithin(lock, seconds)));
};
