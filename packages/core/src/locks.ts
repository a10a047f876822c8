import type { JobKind } from "./jobs.ts";

/** What a job may hold of an installation; see `docs/architecture.md`. */
export type LockedResource = "credentials" | "drill" | "dump-repository" | "service";

/** What a workflow holds from its first step to its last, and its containers work under. A check changes nothing. */
export const lockedByWorkflow: Readonly<Record<JobKind, LockedResource | undefined>> = {
  dump: "dump-repository",
  retention: "dump-repository",
  drill: "drill",
  restore: "service",
  check: undefined,
};

/** Such a lock's lease: outlives the time between two steps, with a place to run in, an image, a retry's wait. */
export const workflowLeaseSeconds = 900;

export interface LockRequest {
  readonly installation: string;
  readonly resource: LockedResource;
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
   * For whoever knows the owner but has not its lock: makes the owner's lock end within so many seconds, 0 lets go as
   * `release` does. Never lengthens a lease, does nothing to another owner's lock; safe to repeat.
   */
  expireWithin(held: Omit<LockRequest, "leaseSeconds">, seconds: number): Promise<void>;
}
