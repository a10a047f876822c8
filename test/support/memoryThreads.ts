import type { MessagePlace, ThreadStore } from "@openemr-ops/core/threads";

/** Threads that live in this process. */
export const memoryThreads = (): ThreadStore => {
  const roots = new Map<string, MessagePlace>();
  return {
    get: async (job) => {
      const root = roots.get(job);
      return root && { ...root };
    },
    put: async (job, root) => {
      roots.set(job, { ...root });
    },
  };
};
