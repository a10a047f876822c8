import { DumpTooOldError, exitCodeOf, InvalidInputError } from "@openemr-ops/core/errors";
import { formatDuration, formatMoment } from "@openemr-ops/core/format";
import type { DumpAge } from "@openemr-ops/dumps/steps/dumpAges";
import { type Shown, shown } from "../shown.ts";
import { type CommandContext, placeOf } from "./context.ts";

export interface FreshnessOptions {
  readonly copy?: number;
  /** Seconds. */
  readonly maxAge: number;
  /** The newest dump counts only if it passed a drill or a check of every stored byte. */
  readonly verified: boolean;
}

const describe = (what: string, age: DumpAge | null): string =>
  age
    ? `the newest ${what} dump, ${age.dumpId} of ${formatMoment(age.takenAt)}, is ${formatDuration(age.ageSeconds)} old`
    : `there is no ${what} dump`;

/**
 * Compares the age of the newest dump with the greatest that is allowed. Monitoring does this often: it takes no lock, writes no
 * record, and announces nothing.
 *
 * @returns the exit status: 4 when the dump is too old, or there is none
 */
export const checkAge = async (
  context: CommandContext,
  { maxAge, verified, copy }: FreshnessOptions,
): Promise<number> => {
  const { common, installation, operations, output } = context;
  if (common.metrics !== undefined)
    throw new InvalidInputError([{ path: "--metrics", message: "does not go with --max-age, which runs no job" }]);
  const ages = await operations.dumpAges(placeOf(context), copy === undefined ? {} : { copy });
  const what = verified ? "verified" : "complete";
  const age = ages[what];
  const fresh = age !== null && age.ageSeconds <= maxAge;
  const where = copy === undefined ? installation.id : `${installation.id} at copy ${copy}`;
  const text = `${where}: ${describe(what, age)}`;
  const error = fresh ? undefined : new DumpTooOldError(`${text}; ${formatDuration(maxAge)} are allowed`);
  const named = error ? { error: { name: error.name, message: error.message } } : {};
  output.result({ fresh, maxAgeSeconds: maxAge, ...ages, ...named }, (): Shown => shown`${text}\n`);
  if (error && !common.json) output.failure(error);
  return error ? exitCodeOf(error) : 0;
};
