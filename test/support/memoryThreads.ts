import type { MessagePlace, ThreadKey, ThreadStore } from "@openemr-ops/notifications/threads";

/** Threads that live in this process. */
export const memoryThreads = (): ThreadStore => {
  const nameOf = ({ installation, job }: ThreadKey): string => `${installation}/${job}`;
  const roots = new Map<string, MessagePlace>();
  return {
    get: async (job) => {
      const root = roots.get(nameOf(job));
      return root && { ...root };
    },
    put: async (job, root) => {
      roots.set(nameOf(job), { ...root });
    },
  };
};
