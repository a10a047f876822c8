import type { JobLedger, NotedStep } from "@openemr-ops/core/jobs";
import type { ProgressEvent, ReportProgress } from "@openemr-ops/core/progress";
import type { PublishEvent } from "@openemr-ops/events/jobEvent";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";

const secondsBetweenNotes = 60;

export interface NotedJob {
  readonly jobId: string;
  readonly kind: WorkflowKind;
  readonly installation: string;
  readonly dryRun: boolean;
}

export interface ProgressNotes {
  readonly progress: ReportProgress;
  /** Resolves when all is written that was reported so far. */
  readonly written: () => Promise<void>;
}

export interface NotePorts {
  readonly ledger: Pick<JobLedger, "note">;
  readonly publish: PublishEvent;
  readonly now: () => Date;
  readonly warn: (message: string) => void;
}

const figuresOf = ({ step, detail, estimated, ...numbers }: ProgressEvent): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined));

/**
 * Notes progress in the job's record and publishes it: when a step begins, then once a minute. Behind a slow
 * ledger only the newest note of each step is kept. A failure to note is a warning and never stops the job.
 */
export const progressNotes = (job: NotedJob, { ledger, publish, now, warn }: NotePorts): ProgressNotes => {
  const notedAt = new Map<string, number>();
  const waiting = new Map<string, NotedStep>();
  let writing = Promise.resolve();

  const write = async (step: NotedStep): Promise<void> => {
    const { name, at, figures = {} } = step;
    const detail = { version: 1 as const, ...job, at, step: name, figures };
    for (const report of [() => ledger.note(job, step), () => publish({ name: "JobProgressed", detail })])
      await report().catch((error: unknown) => {
        warn(`progress of ${name} was not noted (${error instanceof Error ? error.name : typeof error})`);
      });
  };
  const writeNext = async (): Promise<void> => {
    const [step] = waiting.values();
    if (!step) return;
    waiting.delete(step.name);
    await write(step);
  };

  return {
    progress: (event) => {
      const at = now();
      const last = notedAt.get(event.step);
      if (last !== undefined && at.getTime() - last < secondsBetweenNotes * 1000) return;
      notedAt.set(event.step, at.getTime());
      waiting.set(event.step, { name: event.step, by: "container", at: at.toISOString(), figures: figuresOf(event) });
      writing = writing.then(writeNext);
    },
    written: () => writing,
  };
};
