import { InvalidInputError, JobAbortedError, RetryableError } from "@openemr-ops/core/errors";
import type { JobRecord, JobStep } from "@openemr-ops/core/jobs";
import type { ProgressEvent } from "@openemr-ops/core/progress";
import { argument } from "../options.ts";
import { aJob } from "../optionValues.ts";
import { type ControlContext, stageCommand } from "./controlContext.ts";
import { describeEnd, exitCodeOfJob } from "./jobResult.ts";
import { installationsMeant } from "./jobs.ts";

const millisecondsBetweenLooks = 2000;
/** A workflow records its job with its first step; so many looks without a record are too many. */
const looksWithoutRecord = 15;

const amounts = ["bytes", "totalBytes", "rows", "totalRows", "files", "totalFiles"] as const;

/** A step that was noted, as progress; figures that progress has no words for are left out. */
const progressOf = ({ name, figures = {} }: JobStep): ProgressEvent => ({
  step: name,
  ...Object.fromEntries(amounts.flatMap((amount) => (amount in figures ? [[amount, figures[amount]]] : []))),
});

/** The command that follows this job, of one of these installations. */
export const watchCommand = (jobId: string, installations: readonly string[], stage: string): string => {
  const whose = installations.length === 1 ? ` --installation ${installations[0]}` : "";
  return `openemr-ops watch ${jobId}${whose}${stage === "production" ? "" : ` --stage ${stage}`}`;
};

/** The job's record, of the one installation among these that has it. */
const recordIn = async (
  { ledger, stage }: ControlContext,
  jobId: string,
  installations: readonly string[],
): Promise<JobRecord | undefined> => {
  const found = await Promise.all(installations.map((installation) => ledger.get({ installation, jobId })));
  const [record, ...others] = found.filter((each) => each !== undefined);
  if (others.length === 0) return record;
  const message = `stage ${stage} has jobs ${jobId} of several installations; name one with --installation`;
  throw new InvalidInputError([{ path: "job", message }]);
};

/**
 * Looks at a job's record until it has ended, and shows its steps meanwhile.
 *
 * @throws {InvalidInputError} fatal: no such job has been recorded for half a minute
 * @throws {JobAbortedError} fatal: a person stopped watching; the job goes on
 */
const followToEnd = async (
  context: ControlContext,
  jobId: string,
  installations: readonly string[],
): Promise<JobRecord> => {
  const { stage, output, signal, pause } = context;
  const shown = new Map<string, string>();
  for (let look = 1; ; look += 1) {
    const record = await recordIn(context, jobId, installations).catch((error: unknown) => {
      if (!(error instanceof RetryableError)) throw error;
      output.warn(error.message);
      look = 0; // nobody knows whether there is a record
    });
    for (const step of record?.steps ?? []) {
      if (shown.get(step.name) === step.at) continue;
      shown.set(step.name, step.at);
      output.progress(progressOf(step));
    }
    if (record?.endedAt !== undefined) return record;
    if (!record && look === looksWithoutRecord) {
      const message = `stage ${stage} has no job ${jobId} of ${installations.join(", ")}; "openemr-ops jobs" lists those that it has`;
      throw new InvalidInputError([{ path: "job", message }]);
    }
    await pause(millisecondsBetweenLooks, signal).catch((cause: unknown) => {
      const message = `no longer watched; the job goes on. To watch it again: ${watchCommand(jobId, installations, stage)}`;
      throw new JobAbortedError(message, { cause });
    });
  }
};

/**
 * Watches a job of the installation that is named, or of any that the configuration lists.
 *
 * @returns the exit status that the job's error has, 0 when it succeeded
 */
export const watch = async (
  context: ControlContext,
  { jobId, installation }: { readonly jobId: string; readonly installation?: string },
): Promise<number> => {
  const installations = installation === undefined ? await installationsMeant(context) : [installation];
  const record = await followToEnd(context, jobId, installations);
  context.output.result(record, (style) => describeEnd(record, style));
  return exitCodeOfJob(record);
};

export const command = stageCommand({
  name: "watch",
  summary: "Follow a job of the control plane to its end; the exit status is then the job's.",
  options: { jobId: argument("job", "a job's identifier, as run and jobs show it", aJob) },
  examples: ["watch 01K9ZV6T5W8QH3N2R4X7BCDEFG"],
  run: watch,
});
