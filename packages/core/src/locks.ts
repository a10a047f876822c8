import { InstallationBusyError } from "./errors.ts";

/** Lease of a lock that a workflow holds: outlives the time between two steps, with a place to run in, an image, a retry's wait. */
export const workflowLeaseSeconds = 900;

export interface LockRequest {
  readonly installation: string;
  /** What is held; `events/jobKinds.ts` lists them. */
  readonly resource: string;
  /** The job that wants it. */
  readonly owner: string;
  /** How long the lock lasts without renewal, in seconds. A dead owner's lock is free after that. */
  readonly leaseSeconds: number;
}

export interface Lock extends LockRequest {
  /** Grows with each new holder: a holder that lost its lease can be told from its successor. */
  readonly fence: number;
  readonly expiresAt: Date;
}

/**
 * A lock that somebody else holds, or that its holder lost. A lease is renewed for as long as its job runs, so its end is no time to
 * wait for: only a job that died leaves one.
 */
export const lockIsHeld = (
  { installation, resource }: Pick<LockRequest, "installation" | "resource">,
  holder: { readonly owner: string; readonly leaseEndsAt: Date } | undefined,
): InstallationBusyError =>
  new InstallationBusyError(
    holder
      ? `${installation}: ${resource} is held by job ${holder.owner}; start this again when that job has ended. If it died, its lock ends by itself at ${holder.leaseEndsAt.toISOString()}`
      : `${installation}: ${resource} is no longer held by this job`,
  );

/**
 * One holder at a time for each installation and resource. Implementations pass `test/contract/locks.ts`.
 * `acquire` by the owner that already holds it renews the lease and keeps the fence.
 */
export interface LockStore {
  /** @throws {InstallationBusyError} retryable: names the holder and when its lease ends */
  acquire(request: LockRequest): Promise<Lock>;
  /** @throws {InstallationBusyError} when the lease was lost to someone else */
  renew(lock: Lock): Promise<Lock>;
  /** Lets go; safe to repeat; never frees a successor's lock. */
  release(lock: Lock): Promise<void>;
  /**
   * For whoever knows the owner but has not its lock: makes the owner's lock end within so many seconds, 0 releases it as
   * `release` does. Never lengthens a lease, does nothing to another owner's lock; safe to repeat.
   */
  expireWithin(held: Omit<LockRequest, "leaseSeconds">, seconds: number): Promise<void>;
}
