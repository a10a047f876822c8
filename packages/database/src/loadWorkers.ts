import { availableParallelism } from "node:os";
import type { LoadWorker } from "./loadWorker.ts";

/** All connections of one load. */
export interface LoadWorkers {
  readonly all: readonly LoadWorker[];
  /** The one with the least to do, other than the one that just had its run. */
  next(last?: LoadWorker): Promise<LoadWorker>;
  /** Settles when each has done what was sent so far, or has ended. */
  idle(): Promise<void>;
  /** Closes them one after the other. */
  finish(): Promise<void>;
  kill(): Promise<void>;
}

/** Two to four, as the machine has processors. @throws what kept one of them from starting; none stays open then */
export const startLoadWorkers = async (start: () => Promise<LoadWorker>): Promise<LoadWorkers> => {
  const count = Math.max(2, Math.min(4, availableParallelism()));
  const starts = await Promise.allSettled(Array.from({ length: count }, start));
  const all = starts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const kill = async () => {
    await Promise.all(all.map((worker) => worker.kill()));
  };
  for (const one of starts) {
    if (one.status === "fulfilled") continue;
    await kill();
    throw one.reason;
  }
  return {
    all,
    next: async (last) => {
      const others = all.filter((worker) => worker !== last);
      const free = others.filter(({ occupied }) => !occupied);
      const next = (free.length > 0 ? free : all).reduce((best, worker) =>
        worker.backlog() < best.backlog() ? worker : best,
      );
      await next.flushed();
      return next;
    },
    idle: async () => {
      await Promise.all(
        all.map((worker) => Promise.race([new Promise<void>((resolve) => worker.whenDone(resolve)), worker.ended])),
      );
    },
    finish: async () => {
      for (const worker of all) await worker.finish();
    },
    kill,
  };
};
