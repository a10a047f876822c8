import type { JobRecord, JobStore } from "@openemr-ops/core/jobs";

/** Job records that live in this process. */
export const memoryJobs = (): JobStore => {
  const records = new Map<string, JobRecord>();
  return {
    async save(record) {
      records.set(record.jobId, structuredClone(record));
    },
    get: async (jobId) => structuredClone(records.get(jobId)),
    list: async (installation, limit = Number.POSITIVE_INFINITY) =>
      [...records.values()]
        .filter((record) => record.installation === installation)
        .sort((one, other) => (one.jobId < other.jobId ? 1 : -1))
        .slice(0, limit)
        .map((record) => structuredClone(record)),
  };
};
