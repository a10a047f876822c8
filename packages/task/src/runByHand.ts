import type { JobRecord } from "@openemr-ops/core/jobs";
import type { LockingInput } from "@openemr-ops/events/jobKinds";
import { type Outcome, runJob, stoppedBy } from "@openemr-ops/jobs/runJob";
import { metricsListener } from "./metrics/metricsListener.ts";
import { openNotifier } from "./openNotifier.ts";
import type { Operations } from "./operations.ts";
import type { Place } from "./program.ts";
import { withHooks } from "./withHooks.ts";

/** As much of a program as is needed to run it. */
export interface RunnableProgram<Request, Plan, Result> {
  plan(place: Place, request: Request): Promise<Outcome<Plan>>;
  run(place: Place, request: Request): Promise<Outcome<Result>>;
}

/**
 * Runs a program that no workflow runs: by hand, or by cron, between its hooks, and notifies people. A dry run writes nothing: no
 * record, no lock; it runs no hook and notifies nobody.
 *
 * @throws what `runJob` and `withHooks` throw
 */
export const runByHand = async <Request extends LockingInput, Plan, Result>(
  program: RunnableProgram<Request, Plan, Result>,
  place: Place,
  request: Request,
  { openStores }: Pick<Operations, "openStores">,
): Promise<Outcome<Plan | Result>> => {
  if (request.dryRun) return stoppedBy(place.signal, () => program.plan(place, request));
  const stores = await openStores(place);
  const metrics = await metricsListener(place, request);
  const notices = openNotifier(place.config, place).listen;
  const listeners = [...(place.listeners ?? []), notices, ...(metrics ? [metrics] : [])];
  const listen = async (record: JobRecord) => void (await Promise.all(listeners.map((hear) => hear(record))));
  return runJob<Plan | Result>(place.installation.id, request, { ...place, ...stores, listen }, (held, running) =>
    withHooks(place, request.kind, running, held, () => program.run({ ...place, signal: held }, request)),
  );
};
