import { InvalidInputError, JobAbortedError, RetryableError } from "@openemr-ops/core/errors";
import type { JobRecord, JobStep } from "@openemr-ops/core/jobs";
import type { ProgressEvent } from "@openemr-ops/core/progress";
import type { ControlContext } from "./controlContext.ts";
import { describeEnd, exitCodeOfJob } from "./jobResult.ts";

const millisecondsBetweenLooks = 2000;
/** A workflow records its job with its first step; so many looks without a record are too many. */
const looksWithoutRecord = 15;

const amounts = ["bytes", "totalBytes", "rows", "files", "totalFiles"] as const;

/** A step that was noted, as progress; figures that progress has no words for are left out. */
const progressOf = ({ name, figures = {} }: JobStep): ProgressEvent => ({
  step: name,
  ...Object.fromEntries(amounts.flatMap((amount) => (amount in figures ? [[amount, figures[amount]]] : []))),
});

/** The command that follows this job. */
export const watchCommand = (jobId: string, stage: string): string =>
  `openemr-ops watch ${jobId}${stage === "production" ? "" : ` --stage ${stage}`}`;

/**
 * Looks at a job's record until it has ended, and shows its steps meanwhile.
 *
 * @throws {InvalidInputError} fatal: no such job has been recorded for half a minute
 * @throws {JobAbortedError} fatal: a person stopped watching; the job goes on
 */
const followToEnd = async (context: ControlContext, jobId: string): Promise<JobRecord> => {
  const { ledger, stage, output, signal, pause } = context;
  const shown = new Map<string, string>();
  for (let look = 1; ; look += 1) {
    const record = await ledger.get(jobId).catch((error: unknown) => {
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
      const message = `stage ${stage} has no job ${jobId}; "openemr-ops jobs" lists those that it has`;
      throw new InvalidInputError([{ path: "job", message }]);
    }
    await pause(millisecondsBetweenLooks, signal).catch((cause: unknown) => {
      const message = `no longer watched; the job goes on. To watch it again: ${watchCommand(jobId, stage)}`;
      throw new JobAbortedError(message, { cause });
    });
  }
};

/** @returns the exit status that the job's error has, 0 when it succeeded */
export const watch = async (context: ControlContext, { jobId }: { readonly jobId: string }): Promise<number> => {
  const record = await followToEnd(context, jobId);
  context.output.result(record, (style) => describeEnd(record, style));
  return exitCodeOfJob(record);
};
