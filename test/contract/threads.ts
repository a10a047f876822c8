import type { ThreadStore } from "@openemr-ops/core/threads";
import { beforeEach, describe, expect, it } from "vitest";

/** What the product expects of every store of threads. `open` gives an empty one. */
export const threadContract = (name: string, open: () => Promise<ThreadStore>): void => {
  describe(`${name} as a store of threads`, () => {
    let threads: ThreadStore;
    beforeEach(async () => {
      threads = await open();
    });

    it("knows no thread of a job that nobody told of", async () => {
      expect(await threads.get("job-1")).toBeUndefined();
    });

    it("gives back what was put, for each job its own", async () => {
      await threads.put("job-1", { channel: "C0123456789", ts: "1763692204.000100" });
      await threads.put("arn:aws:states:eu-central-1:123456789012:execution:machine:job-1", {
        channel: "C0123456789",
        ts: "1763692205.000200",
      });

      expect(await threads.get("job-1")).toEqual({ channel: "C0123456789", ts: "1763692204.000100" });
      expect(await threads.get("arn:aws:states:eu-central-1:123456789012:execution:machine:job-1")).toEqual({
        channel: "C0123456789",
        ts: "1763692205.000200",
      });
    });

    it("keeps the newest when a job is put again", async () => {
      await threads.put("job-1", { channel: "C0123456789", ts: "1.1" });
      await threads.put("job-1", { channel: "C9876543210", ts: "2.2" });

      expect(await threads.get("job-1")).toEqual({ channel: "C9876543210", ts: "2.2" });
    });
  });
};
