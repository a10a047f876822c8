import { loadNotifications } from "@openemr-ops/core/config/load";
import { JobAbortedError, toOpsError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import type { JobListener } from "@openemr-ops/core/jobs";
import type { JobKind } from "@openemr-ops/events/jobKinds";
import type { CommandSurroundings } from "./defineCommand.ts";
import { findConfig } from "./findConfig.ts";

/**
 * Runs the command of a job, and notifies people of a failure that comes before the job has a record: a wrong configuration,
 * a state directory that cannot be written. Not where a person at a terminal sees it, and not in a dry run.
 *
 * @param work gets a listener that has to get the records of the job
 * @throws what `work` throws
 */
export const notifyEarlyFailure = async <Result>(
  kind: JobKind | undefined,
  surroundings: CommandSurroundings,
  work: (listener: JobListener) => Promise<Result>,
): Promise<Result> => {
  const { common, cwd, machineConfig, environment, now, output, ask, openOperations } = surroundings;
  let hasRecord = false;
  const listener: JobListener = async () => {
    hasRecord = true;
  };
  try {
    return await work(listener);
  } catch (failure) {
    const { name, message } = toOpsError(failure);
    if (kind === undefined || hasRecord || common.dryRun || ask || failure instanceof JobAbortedError) throw failure;
    try {
      const { installations, ...settings } = await loadNotifications(
        common.config ?? (await findConfig(cwd, machineConfig)),
      );
      const { openNotifier } = await openOperations();
      const moment = now().toISOString();
      await openNotifier(settings, { environment, now, warn: output.warn, note: output.note }).told({
        jobId: ulid(now()),
        kind,
        installation: common.installation ?? (installations.length === 1 ? (installations[0] ?? "") : "unknown"),
        status: "failed",
        dryRun: false,
        requestedAt: moment,
        endedAt: moment,
        error: { name, message },
      });
    } catch (reason) {
      output.warn(`nobody was notified of the failure: ${toOpsError(reason).message}`);
    }
    throw failure;
  }
};
