import type { JobLedger } from "@openemr-ops/core/jobs";
import type { LockStore } from "@openemr-ops/core/locks";
import type { PublishEvent } from "@openemr-ops/events/jobEvent";

/** What the steps of a workflow need besides their input. */
export interface JobPorts {
  readonly ledger: JobLedger;
  readonly locks: LockStore;
  readonly publish: PublishEvent;
  readonly now: () => Date;
}
