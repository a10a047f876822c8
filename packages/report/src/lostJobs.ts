import type { JobRecord } from "@openemr-ops/core/jobs";

/** Longer than any job takes. Milliseconds. */
const longest = 24 * 3600 * 1000;

/** When a job began, as far as its record says. ISO 8601 UTC. */
export const startOf = ({ startedAt, requestedAt }: JobRecord): string => startedAt ?? requestedAt;

/** The record of a job that was killed says `running` for ever: it is shown as a failure, which has no `endedAt`. */
export const failedWhereLost = (record: JobRecord, now: Date): JobRecord => {
  if (record.endedAt !== undefined || now.getTime() - Date.parse(startOf(record)) <= longest) return record;
  const error = { name: "TaskLostError", message: "the job reported no result; it was probably killed" };
  return { ...record, status: "failed", error };
};
