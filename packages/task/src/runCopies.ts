import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { notAllCopiedCode, type OpsError, toOpsError } from "@openemr-ops/core/errors";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { Outcome } from "@openemr-ops/jobs/runJob";
import type { Operations } from "./operations.ts";
import type { Place } from "./program.ts";
import { dumpsOf } from "./programs/dumpContext.ts";
import { runByHand } from "./runByHand.ts";

/** How one copy ended: each is a job of its own. */
export interface CopyEnd extends Partial<TaskReport> {
  readonly copy: number;
  readonly destination: string;
  readonly error?: { readonly name: string; readonly message: string };
}

interface CopyRequest {
  /** Which; not set, all of them. */
  readonly copy?: number | undefined;
  readonly dryRun: boolean;
  readonly forceNewRepository: boolean;
}

type Runs = Pick<Operations, "openStores"> & { readonly programs: Pick<Operations["programs"], "copy"> };

/**
 * Brings the dumps of an installation to its copies, one after the other. One that fails does not keep the next one from its
 * dumps.
 *
 * @returns how each ended, and the first failure
 * @throws what stops the program, such as {JobAbortedError}
 */
export const runCopies = async (
  place: Place,
  { copy: only, dryRun, forceNewRepository }: CopyRequest,
  operations: Runs,
): Promise<{ readonly ends: readonly CopyEnd[]; readonly failure?: OpsError }> => {
  const { id, dumps } = dumpsOf(place);
  const ends: CopyEnd[] = [];
  const failures: OpsError[] = [];
  for (const copy of only === undefined ? dumps.copies.map((_, index) => index + 1) : [only]) {
    const common = { copy, destination: formatDestination(dumpsOf(place, copy).dumps.destination) };
    const request = { version: 1, kind: "copy", installation: id, dryRun, copy, forceNewRepository } as const;
    try {
      ends.push({ ...common, ...(await runByHand(operations.programs.copy, place, request, operations)).report });
    } catch (error) {
      if (place.signal.aborted) throw error;
      const failure = toOpsError(error);
      failures.push(failure);
      ends.push({ ...common, error: { name: failure.name, message: failure.message } });
    }
  }
  return { ends, ...(failures[0] ? { failure: failures[0] } : {}) };
};

/** What a dump by hand or by cron adds to its result where the configuration lists copies. The dump stays good if one fails. */
export const copiesOfDump = async (
  place: Place,
  operations: Runs,
): Promise<Pick<Outcome<{ readonly copies?: readonly CopyEnd[] }>, "result" | "exitCode">> => {
  if (dumpsOf(place).dumps.copies.length === 0) return { result: {} };
  const { ends, failure } = await runCopies(place, { dryRun: false, forceNewRepository: false }, operations);
  return { result: { copies: ends }, ...(failure ? { exitCode: notAllCopiedCode } : {}) };
};
