import type { TaskTokens } from "@openemr-ops/aws/taskTokens";
import { TaskStoppedError, toOpsError } from "@openemr-ops/core/errors";
import type { JobLedger } from "@openemr-ops/core/jobs";
import type { LockStore } from "@openemr-ops/core/locks";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { PublishEvent } from "@openemr-ops/events/jobEvent";
import type { TaskInput } from "@openemr-ops/events/taskInput";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { WorkflowPlace } from "./place.ts";
import { type ProgressNotes, progressNotes } from "./progressNotes.ts";
import { ledgerJobs, type SharedLocks, sharedLocks, type WorkflowStores } from "./stores.ts";
import { nameOf, openTokenLine } from "./tokenLine.ts";

/** The workflow's side: its records, locks, bus and the tokens it waits for. */
export interface WorkflowPorts {
  readonly ledger: JobLedger;
  readonly locks: LockStore;
  readonly publish: PublishEvent;
  readonly tokens: TaskTokens;
}

export interface LinkSurroundings {
  readonly now: () => Date;
  readonly warn: (message: string) => void;
  /** Aborted when the container is asked to stop. */
  readonly signal: AbortSignal;
}

/** What work for a workflow works with. */
export interface WorkflowLink {
  /** Aborted when the workflow no longer waits, or the container is asked to stop; its reason is an error of ours. */
  readonly signal: AbortSignal;
  /**
   * Once it is known what is asked, and before any of it is done: the record says from then on that a container is at work,
   * so that whoever ends the job leaves the lock to it.
   */
  open(job: { readonly kind: TaskInput["kind"]; readonly installation: string; readonly dryRun: boolean }): Promise<{
    readonly stores: WorkflowStores;
    readonly progress: ReportProgress;
  }>;
}

/**
 * Does work for a workflow that waits for a task token: sends heartbeats meanwhile, and at the end, when all else is
 * written, the report or the failure under its name.
 *
 * A workflow that no longer waits ends the work; then the lock that it left to this container is let go of here.
 *
 * @throws {JobAbortedError} fatal: the workflow no longer waits
 * @throws {TaskStoppedError} retryable: the container was asked to stop
 * @throws what `work` throws; the workflow has been told
 */
export const underWorkflow = async (
  place: WorkflowPlace,
  ports: WorkflowPorts,
  { now, warn, signal }: LinkSurroundings,
  work: (link: WorkflowLink) => Promise<TaskReport>,
): Promise<TaskReport> => {
  const { jobId } = place;
  const { ledger, locks, publish, tokens } = ports;
  const end = new AbortController();
  const stop = (): void => end.abort(new TaskStoppedError("the container was asked to stop before the job's end"));
  signal.addEventListener("abort", stop);
  using line = openTokenLine(place, tokens, warn, (error) => end.abort(error));
  let shared: SharedLocks | undefined;
  let notes: ProgressNotes | undefined;

  const link: WorkflowLink = {
    signal: end.signal,
    open: async ({ kind, installation, dryRun }) => {
      shared = sharedLocks(locks, kind);
      const job = { jobId, kind: kind === "retention" ? ("dump" as const) : kind, installation, dryRun };
      notes = progressNotes(job, { ledger, publish, now, warn });
      notes.progress({ step: "prepare" });
      await notes.written();
      return {
        stores: { jobId, jobs: ledgerJobs(ledger, installation), locks: shared.locks },
        progress: notes.progress,
      };
    },
  };

  try {
    if (signal.aborted) stop();
    await line.beat();
    end.signal.throwIfAborted();
    const report = await work(link);
    await notes?.written();
    if (!line.isGone()) await line.answer((token) => tokens.succeed(token, report));
    if (line.isGone()) throw end.signal.reason;
    return report;
  } catch (failure) {
    const { name, message } = toOpsError(failure);
    await notes?.written();
    if (!line.isGone())
      await line
        .answer((token) => tokens.fail(token, { name, message }))
        .catch((error: unknown) => warn(`the workflow was not told of the failure (${nameOf(error)})`));
    if (line.isGone())
      await shared
        ?.letGo()
        .catch((error: unknown) => warn(`the lock was not let go of (${nameOf(error)}); it runs out by itself`));
    throw failure;
  } finally {
    signal.removeEventListener("abort", stop);
  }
};
