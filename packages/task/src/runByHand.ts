import type { LockingInput } from "@openemr-ops/events/jobKinds";
import { type Outcome, runJob, stoppedBy } from "@openemr-ops/jobs/runJob";
import type { Operations } from "./operations.ts";
import type { Place } from "./program.ts";

/** As much of a program as is needed to run it. */
export interface RunnableProgram<Request, Plan, Result> {
  plan(place: Place, request: Request): Promise<Outcome<Plan>>;
  run(place: Place, request: Request): Promise<Outcome<Result>>;
}

/**
 * Runs a program that no workflow runs: by hand, or by cron. A dry run writes nothing: no record, no lock.
 *
 * @throws what `runJob` throws
 */
export const runByHand = async <Request extends LockingInput, Plan, Result>(
  program: RunnableProgram<Request, Plan, Result>,
  place: Place,
  request: Request,
  { openStores }: Pick<Operations, "openStores">,
): Promise<Outcome<Plan | Result>> => {
  if (request.dryRun) return stoppedBy(place.signal, () => program.plan(place, request));
  const stores = await openStores(place);
  return runJob<Plan | Result>(place.installation.id, request, { ...place, ...stores }, (signal) =>
    program.run({ ...place, signal }, request),
  );
};
