import { identifier } from "@openemr-ops/core/config/fields";
import { strict } from "@openemr-ops/core/config/strict";
import { workflowKinds } from "@openemr-ops/core/names";
import * as z from "zod";

export const eventSource = "openemr.ops";

const moment = z.iso.datetime({ error: "expected a moment in ISO 8601 UTC" });
const text = (most: number) => z.string({ error: "expected a text" }).min(1).max(most);

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
  installation: identifier,
  kind: workflowKind,
  /** When it happened. */
  at: moment,
};

const ofJob = {
  ...common,
  jobId: jobName,
  dryRun: z.boolean({ error: "expected true or false" }),
  /** ARN of the execution. */
  execution: text(2048).optional(),
};

/** A job began its work. */
export const jobStarted = strict({ ...ofJob });

/** A job got to a step, or on within it; once a minute and step at most. */
export const jobProgressed = strict({ ...ofJob, step: text(64), figures });

/** A job came to its end and did all it was asked. */
export const jobSucceeded = strict({
  ...ofJob,
  seconds: z.number({ error: "expected a number" }),
  figures,
  result: identifiers,
});

/** A job ended without having done it: by an error, or because a person stopped it. Each such job is told once. */
export const jobFailed = strict({
  ...ofJob,
  status: z.enum(["failed", "aborted"], { error: "expected failed or aborted" }),
  seconds: z.number({ error: "expected a number" }),
  error: strict({ name: text(128), message: z.string({ error: "expected a text" }).max(4096) }),
  /** What came out before: a dump is complete although old ones could not be cleared. */
  result: identifiers,
});

/** A scheduled job did not succeed in time; told once for each due time. */
export const jobOverdue = strict({
  ...common,
  dueAt: moment,
  deadlineAt: moment,
  lastSuccess: strict({ jobId: jobName, endedAt: moment }).optional(),
});

/** By the name that stands in `detail-type`. */
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

/** Puts an event on the bus. @throws {DestinationUnavailableError} never: an implementation retries, then throws its own */
export type PublishEvent = (event: JobEvent) => Promise<void>;
