import type { JobRecord } from "@openemr-ops/core/jobs";
import { hasContainer } from "./jobRecord.ts";

/** A container asks its workflow every ten seconds whether it still waits, and stops when it does not. */
const longestStop = 60;

/** Seconds for which the container of a job that was given up may still be at work, and so need its lock. */
export const lingering = (record: JobRecord): number => (hasContainer(record) ? longestStop : 0);

/** Errors that say nothing of where the container is; any other came from it, or from one that ended or never began. */
export const mayLinger = (errorName: string): boolean => ["JobTimeoutError", "TaskLostError"].includes(errorName);
