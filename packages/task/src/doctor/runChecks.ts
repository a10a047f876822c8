import { InvalidInputError, JobAbortedError, type OpsError, toOpsError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { type Check, idOf } from "./check.ts";
import type { DoctorFinding, Sight } from "./finding.ts";

const usualSeconds = 60;

interface Surroundings {
  readonly installation?: string;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Checks that found a problem; those of this run are added. */
  readonly broken: Map<string, string>;
}

const sightOf = (error: OpsError, { explain }: Check): Sight => {
  const issue = error instanceof InvalidInputError ? error.issues[0] : undefined;
  const { field = issue?.path || undefined, next } = explain?.(error) ?? {};
  const { name, message } = error;
  return { status: "problem", seen: issue?.message ?? message, next, field, error: name };
};

/** Does the work until the time is over or somebody stops the doctor; what does not heed the signal is left behind. */
const lookAt = async (check: Check, stop: AbortSignal): Promise<readonly Sight[]> => {
  const { seconds } = "seconds" in check ? check : { seconds: usualSeconds };
  const limit = seconds === undefined ? undefined : AbortSignal.timeout(seconds * 1000);
  const signal = limit ? AbortSignal.any([stop, limit]) : stop;
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(signal.reason);
  signal.addEventListener("abort", end, { once: true });
  try {
    signal.throwIfAborted();
    const found = await Promise.race([check.look(signal), ended.promise]);
    return "status" in found ? [found] : found;
  } catch (error) {
    if (stop.aborted) throw new JobAbortedError("the doctor was stopped; nothing was changed");
    if (limit?.aborted)
      return [
        {
          status: "problem",
          seen: `no answer within ${seconds} s`,
          next: "check the network and the server",
        },
      ];
    return [sightOf(toOpsError(error), check)];
  } finally {
    signal.removeEventListener("abort", end);
  }
};

/**
 * Makes all checks in their order, however many fail. What needs something in which a problem was found is not tried, so that
 * a cause is named once.
 *
 * @throws {JobAbortedError} fatal: somebody stopped it
 */
export const runChecks = async (
  checks: readonly Check[],
  { installation, signal, progress, broken }: Surroundings,
): Promise<readonly DoctorFinding[]> => {
  const findings: DoctorFinding[] = [];
  for (const check of checks) {
    const { name, field, after = [], leftOut } = check;
    const common = { check: name, field, ...(installation === undefined ? {} : { installation }) };
    const blame = after.map((id) => broken.get(id)).find((found) => found !== undefined);
    if (blame !== undefined || leftOut !== undefined) {
      findings.push({
        ...common,
        status: "not tried",
        seen: blame === undefined ? (leftOut ?? "") : `needs ${blame}, where a problem was found`,
      });
      continue;
    }
    progress({ step: "doctor", detail: [installation, name].filter(Boolean).join(": ") });
    for (const { field: own = field, ...sight } of await lookAt(check, signal)) {
      if (sight.status === "problem") broken.set(idOf(check), name);
      findings.push({ ...common, field: own, ...sight });
    }
  }
  return findings;
};
