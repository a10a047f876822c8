import type { ThreadStore } from "@openemr-ops/notifications/threads";
import { beforeEach, describe, expect, it } from "vitest";

const job = { installation: "clinic-a", job: "job-1" };
const other = { ...job, job: "arn:aws:states:eu-central-1:123456789012:execution:machine:job-1" };
const theirs = { ...job, installation: "clinic-b" };

/** What the product expects of every store of threads. `open` gives an empty one. */
export const threadContract = (name: string, open: () => Promise<ThreadStore>): void => {
  describe(`${name} as a store of threads`, () => {
    let threads: ThreadStore;
    beforeEach(async () => {
      threads = await open();
    });

    it("knows no thread of a job that was never reported", async () => {
      expect(await threads.get(job)).toBeUndefined();
    });

    it("gives back what was put, for each job its own", async () => {
      await threads.put(job, { channel: "C0123456789", ts: "1763692204.000100" });
      await threads.put(other, {
        channel: "C0123456789",
        ts: "1763692205.000200",
      });

      expect(await threads.get(job)).toEqual({ channel: "C0123456789", ts: "1763692204.000100" });
      expect(await threads.get(other)).toEqual({
        channel: "C0123456789",
        ts: "1763692205.000200",
      });
    });

    it("keeps jobs of one name apart, installation by installation", async () => {
      await threads.put(job, { channel: "C0123456789", ts: "1.1" });

      expect(await threads.get(theirs)).toBeUndefined();
    });

    it("keeps the newest when a job is put again", async () => {
      await threads.put(job, { channel: "C0123456789", ts: "1.1" });
      await threads.put(job, { channel: "C9876543210", ts: "2.2" });

      expect(await threads.get(job)).toEqual({ channel: "C9876543210", ts: "2.2" });
    });
  });
};
