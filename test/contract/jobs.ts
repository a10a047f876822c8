import type { JobRecord, JobStore } from "@openemr-ops/core/jobs";
import { beforeEach, describe, expect, it } from "vitest";
import { aJobRecord } from "../support/aJobRecord.ts";

const minute = (count: number): Date => new Date(Date.UTC(2026, 10, 20, 12, count));

/** What the product expects of every store of job records. `open` gives an empty one. */
export const jobContract = (name: string, open: () => Promise<JobStore>): void => {
  describe(`${name} as a store of job records`, () => {
    let store: JobStore;
    beforeEach(async () => {
      store = await open();
    });

    it("gives a record back as it was saved", async () => {
      const record: JobRecord = aJobRecord({
        status: "failed",
        startedAt: "2026-11-20T12:00:01.000Z",
        endedAt: "2026-11-20T12:00:02.000Z",
        figures: { bytes: 12, seconds: 0.5 },
        result: { dumpId: "01KABCDEFGHJKMNPQRSTVWXYZ0" },
        error: { name: "DatabaseUnavailableError", message: "the server went away" },
      });
      await store.save(record);

      expect(await store.get(record.jobId)).toEqual(record);
      expect(await store.list("clinic-a")).toEqual([record]);
    });

    it("replaces the record of the same job", async () => {
      const requested = aJobRecord();
      const running: JobRecord = { ...requested, status: "running", startedAt: "2026-11-20T12:00:01.000Z" };
      await store.save(requested);
      await store.save(running);

      expect(await store.list("clinic-a")).toEqual([running]);
    });

    it("knows nothing of a job that was not saved", async () => {
      expect(await store.get(aJobRecord().jobId)).toBeUndefined();
      expect(await store.get("../../etc/passwd")).toBeUndefined();
      expect(await store.list("clinic-a")).toEqual([]);
    });

    it("lists the newest first, as many as asked for, of one installation", async () => {
      const ours = [3, 1, 4, 2, 5].map((count) => aJobRecord({ at: minute(count) }));
      const theirs = aJobRecord({ at: minute(6), installation: "clinic-b" });
      for (const record of [...ours, theirs]) await store.save(record);

      const newestFirst = [...ours].sort((left, right) => (left.requestedAt < right.requestedAt ? 1 : -1));
      expect(await store.list("clinic-a")).toEqual(newestFirst);
      expect(await store.list("clinic-a", 2)).toEqual(newestFirst.slice(0, 2));
      expect(await store.list("clinic-a", 0)).toEqual([]);
      expect(await store.list("clinic-b", 9)).toEqual([theirs]);
      expect(await store.list("clinic-c")).toEqual([]);
    });

    it("keeps all of many records that are saved at once", async () => {
      const records = Array.from({ length: 50 }, (_, index) => aJobRecord({ at: minute(index) }));
      await Promise.all(records.map((record) => store.save(record)));

      expect(await store.list("clinic-a")).toHaveLength(50);
    });
  });
};
