import type { JobRecord } from "@openemr-ops/core/jobs";
import { hasContainer } from "./jobRecord.ts";

/** A container checks every ten seconds whether its workflow still waits, and stops when it does not. */
const longestStop = 60;

/** Seconds for which the container of a stopped job may still run, and so need its lock. */
export const lingering = (record: JobRecord): number => (hasContainer(record) ? longestStop : 0);

/** Errors after which the container may still run. All other errors come from a container that has ended or never started. */
export const mayLinger = (errorName: string): boolean => ["JobTimeoutError", "TaskLostError"].includes(errorName);
