import type { TaskTokens } from "@openemr-ops/aws/taskTokens";
import { TaskStoppedError, toOpsError } from "@openemr-ops/core/errors";
import type { JobLedger } from "@openemr-ops/core/jobs";
import { type LockStore, workflowLeaseSeconds } from "@openemr-ops/core/locks";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { withLocks } from "@openemr-ops/core/withLock";
import type { PublishEvent } from "@openemr-ops/events/jobEvent";
import { type LockingInput, locksOf } from "@openemr-ops/events/jobKinds";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import { releaseLocks } from "@openemr-ops/jobs/jobLocks";
import { type Outcome, stoppedBy } from "@openemr-ops/jobs/runJob";
import type { WorkflowPlace } from "./place.ts";
import { type ProgressNotes, progressNotes } from "./progressNotes.ts";
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

/** What a container does its work with. */
export interface OpenedLink {
  readonly progress: ReportProgress;
  readonly history: Pick<JobLedger, "list">;
  /**
   * Does work under the locks that the workflow acquired for it, and renews them meanwhile. They stay held: the workflow's
   * next step continues under them. `work` gets a signal that is also aborted when a lock is lost.
   */
  hold<Result>(work: (signal: AbortSignal) => Promise<Outcome<Result>>): Promise<Outcome<Result>>;
}

/** The workflow, as the work for it sees it. */
export interface WorkflowLink {
  /**
   * Called once the input is known and before any work is done: from then on the record shows that a container works on the
   * job, so that whoever ends the job leaves the locks to it.
   */
  open(installation: string, input: LockingInput): Promise<OpenedLink>;
}

/** A lease lasts for many steps; the loss of one is noticed sooner. Seconds. */
const renewSeconds = 40;

/**
 * Does work for a workflow that waits for a task token: sends heartbeats meanwhile, and at the end, when all else is
 * written, the report or the failure under its name.
 *
 * A workflow that no longer waits ends the work; then the locks that it left to this container are released here.
 *
 * @throws {JobAbortedError} fatal: the workflow no longer waits
 * @throws {TaskStoppedError} retryable: the container was asked to stop
 * @throws what `work` throws; the workflow has been notified
 */
export const underWorkflow = async (
  place: WorkflowPlace,
  ports: WorkflowPorts,
  { now, warn, signal }: LinkSurroundings,
  work: (link: WorkflowLink) => Promise<TaskReport>,
): Promise<TaskReport> => {
  const { jobId, kind } = place;
  const { ledger, locks, publish, tokens } = ports;
  const end = new AbortController();
  const stop = (): void => end.abort(new TaskStoppedError("the container was asked to stop before the job's end"));
  signal.addEventListener("abort", stop);
  using line = openTokenLine(place, tokens, warn, (error) => end.abort(error));
  let worksOn: string | undefined; // the installation
  let notes: ProgressNotes | undefined;

  const link: WorkflowLink = {
    open: async (installation, input) => {
      worksOn = installation;
      const held = locksOf(input).map((resource) => ({
        installation,
        resource,
        owner: jobId,
        leaseSeconds: workflowLeaseSeconds,
      }));
      notes = progressNotes({ jobId, kind, installation, dryRun: input.dryRun }, { ledger, publish, now, warn });
      notes.progress({ step: "prepare" });
      await notes.written();
      return {
        progress: notes.progress,
        history: ledger,
        hold: (work) =>
          stoppedBy(end.signal, () =>
            withLocks(locks, held, work, { now, signal: end.signal, keep: true, renewSeconds, warn }),
          ),
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
        .catch((error: unknown) => warn(`the failure was not reported to the workflow (${nameOf(error)})`));
    if (line.isGone() && worksOn !== undefined)
      await releaseLocks({ jobId, installation: worksOn }, { locks }).catch((error: unknown) =>
        warn(`the locks were not released (${nameOf(error)}); they expire`),
      );
    throw failure;
  } finally {
    signal.removeEventListener("abort", stop);
  }
};
