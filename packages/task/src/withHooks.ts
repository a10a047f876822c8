import type { HookSettings } from "@openemr-ops/core/config/settings";
import { toOpsError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import type { JobKind } from "@openemr-ops/events/jobKinds";
import { type Outcome, stoppedBy } from "@openemr-ops/jobs/runJob";
import type { Place } from "./program.ts";
import { runAttached } from "./runAttached.ts";

type HookName = "before" | "after" | "onFailure";

/**
 * Does a job's work between the hooks of its kind, all while the job holds its locks. A failed `before` is the job's failure. A failed
 * `after` is a warning and `afterHook` of the result: the work is complete. `onFailure` runs after any failure, a stop by a
 * signal too; its own failure is a warning.
 *
 * @param place its signal is aborted when someone asks the job to stop
 * @param held stops the work and the hooks, except `onFailure`: aborted with that of `place`, and when a lock is lost
 * @throws {HookFailedError} fatal: `before` failed
 * @throws what `work` throws
 */
export const withHooks = async <Result>(
  place: Place,
  kind: JobKind,
  running: JobRecord,
  held: AbortSignal,
  work: () => Promise<Outcome<Result>>,
): Promise<Outcome<Result>> => {
  const { config, installation, now, warn, note } = place;
  const hooks = installation.hooks?.[kind];
  if (!hooks) return work();
  const index = config.installations.findIndex(({ id }) => id === installation.id);
  const run = async (name: HookName, record: JobRecord, stop?: AbortSignal): Promise<void> => {
    const hook: HookSettings | undefined = hooks[name];
    if (!hook) return;
    const output = note ? { note } : {};
    await runAttached(hook, `installations[${index}].hooks.${kind}.${name}`, record, {
      ...output,
      ...(stop ? { signal: stop } : {}),
    });
  };
  const ended = () => ({ ...running, endedAt: now().toISOString() });

  let outcome: Outcome<Result>;
  try {
    outcome = await stoppedBy(held, async () => {
      await run("before", running, held);
      return work();
    });
  } catch (failure) {
    const { name, message } = toOpsError(failure);
    const status = place.signal.aborted ? "aborted" : "failed";
    await run("onFailure", { ...ended(), status, error: { name, message } }).catch((problem: unknown) =>
      warn(toOpsError(problem).message),
    );
    throw failure;
  }
  const { report } = outcome;
  try {
    await run("after", { ...ended(), ...report, status: "succeeded" }, held);
    return outcome;
  } catch (failure) {
    const problem = held.aborted ? "it was stopped on request" : toOpsError(failure).message;
    warn(`the job's work is complete, but the hook after it failed: ${problem}`);
    return { ...outcome, report: { ...report, result: { ...report.result, afterHook: problem.slice(0, 1024) } } };
  }
};
