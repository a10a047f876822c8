import type { JobRecord } from "@openemr-ops/core/jobs";
import { jobName } from "@openemr-ops/events/jobEvent";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";

/** The fields of a workflow's execution that a job's record needs. */
export interface JobExecution {
  readonly jobId: string;
  readonly kind: WorkflowKind;
  readonly installation: string;
  readonly dryRun: boolean;
  /** ARN; absent when it is known that the job belongs to the execution. */
  readonly execution?: string;
  readonly requestedAt: Date;
}

export const newRecord = ({ requestedAt, ...job }: JobExecution): JobRecord => ({
  ...job,
  status: "requested",
  requestedAt: requestedAt.toISOString(),
});

const day = 24 * 3600 * 1000;

/**
 * Whether a record belongs to this execution. Names of executions are unique within one workflow and for 90 days only, so
 * two executions that people named can have the same name.
 */
export const isRecordOf = (record: JobRecord, job: JobExecution): boolean => {
  if (record.kind !== job.kind || record.installation !== job.installation) return false;
  if (record.execution === undefined || job.execution === undefined) return true; // created when the first record was lost
  const apart = Math.abs(Date.parse(record.requestedAt) - job.requestedAt.getTime());
  return record.execution === job.execution && apart < day;
};

/**
 * The job of an execution that failed. Its identifier is the execution's name, without the characters that no job may have:
 * a person can give an execution any name.
 */
export const jobIdOf = (executionName: string): string =>
  jobName.safeParse(executionName).data ?? (executionName.replace(/[^A-Za-z0-9_-]/gu, "_").slice(0, 80) || "_");

/** A text as a time; `otherwise` when it is not one. */
export const momentOf = (text: string, otherwise: Date): Date => {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? otherwise : moment;
};

/** Whether a container has noted a step of the job. In records without `by`, any step may be a container's. */
export const hasContainer = ({ steps = [] }: JobRecord): boolean =>
  steps.some(({ by = "container" }) => by === "container");
