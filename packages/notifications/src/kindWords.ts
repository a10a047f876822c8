import type { JobKind, ScheduledKind } from "@openemr-ops/events/jobKinds";

/** What the plain `seconds` among a job's figures measure; the duration of the job itself stands elsewhere. */
export const measured: Readonly<Record<JobKind, string>> = {
  dump: "dump time",
  drill: "restore time",
  check: "check time",
  retention: "retention time",
  copy: "copy time",
  restore: "restore time",
  health: "check time",
  report: "report time",
  users: "preparation time",
  exportDatabase: "export time",
  exportSites: "export time",
  rotateDatabase: "rotation time",
  rotateAdmin: "rotation time",
  rotateMaster: "rotation time",
  rotateSmtp: "rotation time",
  redeploy: "redeployment time",
};

/** What a person does first when a job is overdue. `docs/runbooks/overdue.md` has the same sentences. */
export const overdueSteps: Readonly<Record<ScheduledKind, string>> = {
  dump: "Check whether the job is running, failed or never started. Until one succeeds, there is no new dump.",
  drill:
    "Check whether the job is running, failed or never started. Until one succeeds, nobody knows whether the dumps restore.",
  check: "Check whether the job is running, failed or never started. Until one succeeds, damage to dumps stays unseen.",
  health:
    "Check whether the job is running, failed or never started. Until one succeeds, nobody knows whether OpenEMR works.",
  report:
    "Check whether the job is running, failed or never started. Until one succeeds, the newest page beside the dumps is an older one.",
  exportDatabase:
    "Check whether the job is running, failed or never started. Until one succeeds, readers have the rows of the export before.",
  exportSites:
    "Check whether the job is running, failed or never started. Until one succeeds, readers have the files of the export before.",
  rotateDatabase:
    "Check whether the job is running, failed or never started. Until one succeeds, the database password stays as it is, and works.",
  rotateAdmin:
    "Check whether the job is running, failed or never started. Until one succeeds, the administrator's password stays as it is, and works.",
  rotateMaster:
    "Check whether the job is running, failed or never started. Until one succeeds, the master password stays as it is, and works.",
  rotateSmtp:
    "Check whether the job is running, failed or never started. Until one succeeds, the SMTP password stays as it is, and mail goes out.",
  redeploy:
    "Check whether the job is running, failed or never started. Until one succeeds, OpenEMR runs as it was started before.",
};
