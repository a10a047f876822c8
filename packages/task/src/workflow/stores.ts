import type { JobLedger, JobStore } from "@openemr-ops/core/jobs";
import { type Lock, type LockStore, lockedByWorkflow, workflowLeaseSeconds } from "@openemr-ops/core/locks";
import type { TaskInput } from "@openemr-ops/events/taskInput";

/** Records and locks of a job that a workflow runs, in place of the program's own. */
export interface WorkflowStores {
  readonly jobId: string;
  readonly jobs: JobStore;
  readonly locks: LockStore;
}

/** The ledger as a program's own records: the workflow writes its record itself. */
export const ledgerJobs = ({ get, list }: JobLedger, installation: string): JobStore => ({
  get: (jobId) => get({ installation, jobId }),
  list,
  save: async () => {},
});

/** Locks that belong to the workflow as much as to its container. */
export interface SharedLocks {
  readonly locks: LockStore;
  /** Lets go after all, for a workflow that no longer does. */
  letGo(): Promise<void>;
}

/**
 * The locks of one container of a job. The one that its workflow holds stays held when the container is done with it: the
 * next step goes on under it. All others come and go as usual.
 */
export const sharedLocks = (locks: LockStore, kind: TaskInput["kind"]): SharedLocks => {
  const shared = lockedByWorkflow[kind];
  let held: Lock | undefined;
  return {
    locks: {
      ...locks,
      acquire: async (request) => {
        if (request.resource !== shared) return locks.acquire(request);
        held = await locks.acquire({ ...request, leaseSeconds: workflowLeaseSeconds });
        return held;
      },
      release: async (lock) => {
        if (lock.resource !== shared) return locks.release(lock);
      },
    },
    letGo: async () => {
      if (held) await locks.release(held);
    },
  };
};
