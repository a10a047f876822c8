import type { LockedResource } from "@openemr-ops/core/locks";
import { withLock } from "@openemr-ops/core/withLock";
import type { DumpContext } from "../context.ts";

const leaseSeconds = 120;

/** Runs work with a context that is aborted when the lock is lost. @throws {InstallationBusyError} retryable */
export const underLock = <Result>(
  context: DumpContext,
  resource: LockedResource,
  jobId: string,
  work: (context: DumpContext) => Promise<Result>,
): Promise<Result> =>
  withLock(
    context.locks,
    { installation: context.installation, resource, owner: jobId, leaseSeconds },
    (signal) => work({ ...context, signal }),
    { now: context.now, signal: context.signal },
  );
