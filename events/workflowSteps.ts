import { identifier } from "@openemr-ops/core/config/fields";
import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { figures, identifiers, jobName, workflowKind } from "./jobEvent.ts";
import type { JobInput } from "./jobKinds.ts";

/** What a state machine sends with each call: fixed in its definition, except the execution. */
const caller = {
  kind: workflowKind,
  installation: identifier,
  execution: strict({
    /** ARN. */
    id: z.string(),
    name: jobName,
    /** ISO 8601 UTC. */
    startedAt: z.string(),
  }),
};

/** First step. `input` is the execution's input, not yet checked. */
export const beginRequest = strict({ ...caller, input: z.unknown() });
export type BeginRequest = z.output<typeof beginRequest>;

/** The fields of the job that later steps get. */
export const jobInHand = strict({
  jobId: jobName,
  kind: workflowKind,
  installation: identifier,
  dryRun: z.boolean(),
});
export type JobInHand = z.output<typeof jobInHand>;

/** The output of the first step. A workflow composes the input of its containers from it. */
export interface Begun {
  readonly job: JobInHand;
  /** What a person or a schedule asked for, checked and with its defaults. */
  readonly input: JobInput;
}

/** A container's report: small, unverified, without names of patients or tables. */
export const taskReport = strict({ figures, result: identifiers });
export type TaskReport = z.output<typeof taskReport>;

/** What a function gets that does a job without a container. `input`: of the job, as the first step has checked it. */
export const workRequest = strict({ job: jobInHand, input: z.unknown() });

export const confirmRequest = strict({ job: jobInHand, report: taskReport });
export type ConfirmRequest = z.output<typeof confirmRequest>;

/** Last step of a job that succeeded. `reports`: of its containers, in order. */
export const finishRequest = strict({ job: jobInHand, reports: z.array(taskReport) });
export type FinishRequest = z.output<typeof finishRequest>;

/** Last step of a job that failed. `state` is the execution's whole state at that moment. */
export const failRequest = strict({
  ...caller,
  failure: z.object({ Error: z.string().optional(), Cause: z.string().optional() }),
  state: z.unknown(),
});
export type FailRequest = z.output<typeof failRequest>;

/** The failure that the execution ends with. */
export interface NamedFailure {
  readonly name: string;
  readonly message: string;
}

/** What a schedule sends: start this job, once for each due time even if the message is repeated. */
export const startRequest = strict({
  kind: workflowKind,
  installation: identifier,
  stateMachine: z.string(),
  /** `<aws.scheduler.scheduled-time>`: ISO 8601 UTC. */
  dueAt: z.iso.datetime({ error: "expected a moment in ISO 8601 UTC" }),
  input: z.record(z.string(), z.unknown()),
});
export type StartRequest = z.output<typeof startRequest>;

/** The input of the sweep: an installation's schedules. */
export const overdueRequest = strict({
  installation: identifier,
  schedules: z.array(
    strict({
      kind: workflowKind,
      cron: z.string(),
      timeZone: z.string(),
      deadlineMinutes: z.number(),
      since: z.string(),
    }),
  ),
});
export type OverdueRequest = z.output<typeof overdueRequest>;
