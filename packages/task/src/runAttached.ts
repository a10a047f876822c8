import type { HookSettings } from "@openemr-ops/core/config/settings";
import { HookFailedError, toOpsError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { runToExit } from "@openemr-ops/files/runToExit";

/** More output than this is left out. */
const mostLines = 200;
const longestLine = 1000;

/** Passes on so many lines, cut to a length, and says once that the rest is left out. */
const bounded = (name: string, note: (line: string) => void): ((line: string) => void) => {
  let lines = 0;
  return (line) => {
    lines += 1;
    if (lines <= mostLines) note(`${name}: ${line.slice(0, longestLine)}`);
    else if (lines === mostLines + 1) note(`${name}: more than ${mostLines} lines; the rest is left out`);
  };
};

/**
 * Runs a program that the configuration attaches to a job: with the job's record as JSON on its standard input, a small
 * environment, and a time limit.
 *
 * @param field the setting, for messages, such as `installations[0].hooks.dump.before`
 * @throws {HookFailedError} fatal: it ended with another status than 0, took too long, or does not exist
 */
export const runAttached = async (
  { run: [program = "", ...args], limitSeconds }: HookSettings,
  field: string,
  record: JobRecord,
  { note = () => undefined, signal }: { readonly note?: (line: string) => void; readonly signal?: AbortSignal },
): Promise<void> => {
  const failed = (problem: string, cause?: unknown) =>
    new HookFailedError(`${field}: ${program} ${problem}`, cause === undefined ? {} : { cause });
  const { jobId, kind, installation } = record;
  const end = await runToExit(program, args, {
    limitSeconds,
    ...(signal ? { signal } : {}),
    input: `${JSON.stringify(record)}\n`,
    environment: {
      OPENEMR_OPS_JOB_ID: jobId,
      OPENEMR_OPS_JOB_KIND: kind,
      OPENEMR_OPS_INSTALLATION: installation,
    },
    onLine: bounded(field.slice(field.lastIndexOf(".") + 1), note),
  }).catch((error: unknown) => {
    signal?.throwIfAborted();
    const { message } = toOpsError(error);
    throw failed(`could not be started: ${message}`, error);
  });
  signal?.throwIfAborted();
  if (end.late) throw failed(`took longer than ${limitSeconds} s and was stopped; raise limitSeconds, or repair it`);
  if (end.code !== 0) throw failed(`ended with ${end.signal ?? `exit status ${end.code}`}; its output is in the log`);
};
