import { identifier } from "@openemr-ops/core/config/fields";
import * as z from "zod";
import { workflowKinds } from "./jobKinds.ts";

/** The source of events from the control plane's functions: starts, ends, overdue jobs. No container may publish with it. */
export const eventSource = "openemr.ops";

/**
 * The source of `JobProgressed`, which containers publish. Rights are granted by source, so it proves which installation's
 * container published the event; the event's own fields do not.
 */
export const progressSource = (installation: string): string => `${eventSource}.${installation}`;

export const sourceOf = ({ name, detail }: JobEvent): string =>
  name === "JobProgressed" ? progressSource(detail.installation) : eventSource;

const moment = z.iso.datetime({ error: "expected a moment in ISO 8601 UTC" });
const text = (most: number) => z.string({ error: "expected a text" }).min(1).max(most);
const seconds = z.number({ error: "expected a number" });

/**
 * The contract for consumers. Unknown fields are dropped: a publisher may be newer than its consumers. See
 * `docs/events.md`, "How they change".
 */
const detail = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.object(shape, { error: "expected an object" });

/** Bytes, rows, files, seconds: numbers only. */
export const figures = z.record(text(64), z.number({ error: "expected a number" }));
/** Identifiers such as `dumpId`. */
export const identifiers = z.record(text(64), text(1024));

export const workflowKind = z.enum(workflowKinds, { error: `expected ${workflowKinds.join(", ")}` });

export const jobName = z
  .string({ error: "expected a job's name" })
  .regex(/^[A-Za-z0-9_-]{1,80}$/, { error: "expected 1 to 80 letters, digits, hyphens and underscores" });

const common = {
  version: z.literal(1, { error: "expected 1, the version of this contract" }),
  installation: identifier.meta({
    description: "which installation, as the configuration calls it",
    pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
  }),
  kind: workflowKind.describe("which workflow"),
  at: moment.describe("when it happened"),
};

const ofJob = {
  ...common,
  jobId: jobName.describe("the job; the name of its execution"),
  dryRun: z.boolean({ error: "expected true or false" }).describe("whether it only says what it would do"),
  execution: text(2048).describe("ARN of the execution in Step Functions").optional(),
};

const result = identifiers.describe("the result, by name: identifiers such as dumpId");

/** A job started. */
export const jobStarted = detail({ ...ofJob });

/** A job reached a step, or made progress within it; at most once a minute for each step. */
export const jobProgressed = detail({
  ...ofJob,
  step: text(64).describe("what it got to, in an operator's words"),
  figures: figures.describe("bytes, rows, files so far, by name"),
});

/** A job ended successfully. */
export const jobSucceeded = detail({
  ...ofJob,
  seconds: seconds.describe("how long the job took"),
  figures: figures.describe("bytes, rows, files, seconds, by name"),
  result,
});

/** A job failed, or a person stopped it. Published once for each such job. */
export const jobFailed = detail({
  ...ofJob,
  status: z
    .enum(["failed", "aborted"], { error: "expected failed or aborted" })
    .describe("aborted: somebody stopped it"),
  seconds: seconds.describe("how long the job took"),
  error: detail({
    name: text(128).describe("the error's name; docs/runbooks has a section for each"),
    message: z.string({ error: "expected a text" }).max(4096).describe("what happened and what to do, for a person"),
  }),
  result: result.describe("the result before the failure: a dump is complete although old ones could not be cleared"),
});

/** A scheduled job did not succeed in time. Published once for each due time, or once a day where nothing is started. */
export const jobOverdue = detail({
  ...common,
  dueAt: moment.describe("when the schedule came"),
  deadlineAt: moment.describe("until when a success was expected"),
  lastSuccess: detail({
    jobId: jobName.describe("the last job of this kind that succeeded"),
    endedAt: moment.describe("when it ended"),
  }).optional(),
  configured: z
    .literal(false, { error: "expected false" })
    .describe("only where the installation is no longer in the configuration, and its jobs are not started")
    .optional(),
});

/** By the name in `detail-type`. */
export const jobEvents = {
  JobStarted: jobStarted,
  JobProgressed: jobProgressed,
  JobSucceeded: jobSucceeded,
  JobFailed: jobFailed,
  JobOverdue: jobOverdue,
} as const;

export type JobEventName = keyof typeof jobEvents;
export type JobEvent = {
  readonly [Name in JobEventName]: { readonly name: Name; readonly detail: z.output<(typeof jobEvents)[Name]> };
}[JobEventName];

/**
 * Publishes an event on the bus.
 *
 * @throws {ControlPlaneUnavailableError} retryable: the bus did not accept it, retries included
 */
export type PublishEvent = (event: JobEvent) => Promise<void>;
