import { ulid } from "@openemr-ops/core/ids";
import type { JobRecord } from "@openemr-ops/core/jobs";

/** The record of a dump that was asked for. */
export const aJobRecord = (changes: Partial<JobRecord> & { readonly at?: Date } = {}): JobRecord => {
  const { at = new Date("2026-11-20T12:00:00.000Z"), ...fields } = changes;
  return {
    jobId: ulid(at),
    kind: "dump",
    installation: "clinic-a",
    status: "requested",
    dryRun: false,
    requestedAt: at.toISOString(),
    ...fields,
  };
};
