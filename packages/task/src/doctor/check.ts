import type { OpsError } from "@openemr-ops/core/errors";
import type { CheckName, Sight } from "./finding.ts";

/** One thing to look at. Changes nothing, but for the trial objects of a destination, which it removes. */
export interface Check {
  readonly name: CheckName;
  /** Tells it from others of its name for `after`. Not set: the name. */
  readonly id?: string;
  /** Dotted path of the field that is to be corrected if it fails. */
  readonly field: string;
  /** Checks without which it cannot be made. */
  readonly after?: readonly string[];
  /** How long it may take; `undefined` for as long as it needs. Not set: a minute. */
  readonly seconds?: number | undefined;
  /** Why it is left out of this run. */
  readonly leftOut?: string | undefined;
  /** Throws what a job would throw. @param signal aborted when the doctor is stopped, or the time is over */
  readonly look: (signal: AbortSignal) => Promise<Sight | readonly Sight[]>;
  /** What an error means for this check, where it is not the check's own field. */
  readonly explain?: (error: OpsError) => Partial<Pick<Sight, "field" | "next">> | undefined;
}

export const idOf = ({ id, name }: Pick<Check, "id" | "name">): string => id ?? name;
