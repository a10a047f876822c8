import type { ScheduledKind, WorkflowKind } from "@openemr-ops/events/jobKinds";

/** What the plain `seconds` among a job's figures measure; the duration of the job itself stands elsewhere. */
export const measured: Readonly<Record<WorkflowKind, string>> = {
  dump: "dump time",
  drill: "restore time",
  check: "check time",
  restore: "restore time",
};

/** What a person does first when a job is overdue. `docs/runbooks/overdue.md` has the same sentences. */
export const overdueSteps: Readonly<Record<ScheduledKind, string>> = {
  dump: "See whether the job runs, failed or never began; without a success there is no new dump.",
  drill: "See whether the job runs, failed or never began; without a success nobody knows whether the dumps restore.",
  check: "See whether the job runs, failed or never began; without a success damage to dumps stays unseen.",
};
