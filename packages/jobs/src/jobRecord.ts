import type { JobRecord } from "@openemr-ops/core/jobs";
import type { WorkflowKind } from "@openemr-ops/core/names";
import { jobName } from "@openemr-ops/events/jobEvent";

/** One execution of a workflow, as far as a job's record needs it. */
export interface JobExecution {
  readonly jobId: string;
  readonly kind: WorkflowKind;
  readonly installation: string;
  readonly dryRun: boolean;
  /** ARN; absent where it is known that the job is the execution's. */
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
 * Whether a record is that of this execution. Names of executions are unique within one workflow and for 90 days only, so
 * two that a person named may share one.
 */
export const isRecordOf = (record: JobRecord, job: JobExecution): boolean => {
  if (record.kind !== job.kind || record.installation !== job.installation) return false;
  if (record.execution === undefined || job.execution === undefined) return true; // made when the first record was lost
  const apart = Math.abs(Date.parse(record.requestedAt) - job.requestedAt.getTime());
  return record.execution === job.execution && apart < day;
};

/**
 * The job of an execution that failed: its name, where a job may have it; else what is left of that, for a person may give
 * an execution a name that no job can begin under.
 */
export const jobIdOf = (executionName: string): string =>
  jobName.safeParse(executionName).data ?? (executionName.replace(/[^A-Za-z0-9_-]/gu, "_").slice(0, 80) || "_");

/** The moment that a text names, or another when it names none. */
export const momentOf = (text: string, otherwise: Date): Date => {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? otherwise : moment;
};

/** The step that the workflow itself notes; any other is its container's. */
export const begunStep = "begun";

/** Whether a container has said that it is at work on the job. */
export const hasContainer = ({ steps = [] }: JobRecord): boolean => steps.some(({ name }) => name !== begunStep);
