import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { type JobName, jobNames } from "../jobNames.ts";
import { type Complain, complain } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

/** A program that this machine runs. */
export const commandShape = {
  /** The program and its arguments; no shell reads them. */
  run: field.commandLine,
  limitSeconds: field.commandSeconds.default(60),
};

const hook = strict(commandShape).optional();

const ofOneKind = strict({
  /** Before the job's work. If it fails, the job does not start its work. */
  before: hook,
  /** After the job's work succeeded. */
  after: hook,
  /** After the job failed or was stopped, or `before` failed. */
  onFailure: hook,
}).optional();

/** What runs around a job's work, by the job's kind. */
export const hooks = section(
  strict(Object.fromEntries(jobNames.map((kind) => [kind, ofOneKind])) as Record<JobName, typeof ofOneKind>),
  (settings) => settings,
);

/** Rules that look at the installation as a whole: workflows run no hooks. */
export const hookRules = (installation: unknown, context: Complain): void => {
  if (valueAt(installation, ["hooks"]) === undefined || valueAt(installation, ["platform", "kind"]) !== "ecs") return;
  complain(
    context,
    ["hooks"],
    "is for jobs by hand, by a timer or in a container without a workflow; on ecs workflows run the jobs, and run no hooks",
  );
};
