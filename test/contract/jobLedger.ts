import { ControlPlaneUnavailableError, TaskLostError } from "@openemr-ops/core/errors";
import type { JobEnding, JobLedger, OnceKey } from "@openemr-ops/core/jobs";
import { beforeEach, describe, expect, it } from "vitest";
import { aJobRecord } from "../support/aJobRecord.ts";
import { type ManualClock, manualClock } from "../support/manualClock.ts";

const minute = (count: number): Date => new Date(Date.UTC(2026, 10, 20, 12, count));
const moment = (count: number): string => minute(count).toISOString();

const succeeded: JobEnding = {
  status: "succeeded",
  endedAt: moment(9),
  figures: { rows: 12, seconds: 0.5 },
  result: { dumpId: "01KABCDEFGHJKMNPQRSTVWXYZ0" },
};
const nobody = { installation: "clinic-a", jobId: "nobody" };
const told = (key: string, installation = "clinic-a"): OnceKey => ({ topic: "ended", installation, key });

const failed: JobEnding = {
  status: "failed",
  endedAt: moment(10),
  error: { name: "TaskLostError", message: "the task was not heard of" },
};

/**
 * What the product expects of every ledger of jobs. `open` gives an empty one; called again, what it gives is another
 * client of the same ledger.
 */
export const jobLedgerContract = (name: string, open: (clock: ManualClock) => Promise<() => JobLedger>): void => {
  describe(`${name} as a ledger of jobs`, () => {
    let clock: ManualClock;
    let one: JobLedger;
    let other: JobLedger;
    beforeEach(async () => {
      clock = manualClock();
      const client = await open(clock);
      one = client();
      other = client();
    });

    it("gives a record back as it was created", async () => {
      const record = aJobRecord({
        dryRun: true,
        input: { version: 1, kind: "dump", forceNewRepository: false, nested: { list: [1, "two", null, true] } },
        execution: "arn:aws:states:eu-central-1:123456789012:execution:machine:job",
      });

      expect(await one.create(record)).toEqual({ record, created: true });
      expect(await other.get(record)).toEqual(record);
      expect(await other.list("clinic-a")).toEqual([record]);
    });

    it("keeps the record that came first when a job is created twice", async () => {
      const record = aJobRecord();
      await one.create(record);
      await one.note(record, { name: "database", by: "container", at: moment(1) });
      const known = await one.get(record);

      expect(await other.create({ ...record, kind: "drill", dryRun: true })).toEqual({ record: known, created: false });
      expect(await one.get(record)).toEqual(known);
    });

    it("creates one record when many create the same job at once", async () => {
      const record = aJobRecord();
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) => (index % 2 ? one : other).create(record)),
      );

      expect(answers.filter(({ created }) => created)).toHaveLength(1);
    });

    it("knows nothing of a job that was not created", async () => {
      expect(await one.get(aJobRecord())).toBeUndefined();
      expect(await one.get({ installation: "clinic-a", jobId: "../../etc/passwd" })).toBeUndefined();
      expect(await one.list("clinic-a")).toEqual([]);
    });

    it("takes the name of an execution that a person or the console chose", async () => {
      const record = aJobRecord({ jobId: "5f3b6e1e-98a1-4f3a-a8a4-1f9d9a1c2b3d_once-more" });
      await one.create(record);

      expect(await other.get(record)).toEqual(record);
    });

    it("lists the newest first, as many as asked for, of one installation", async () => {
      const ours = [3, 1, 4, 2, 5].map((count) => aJobRecord({ at: minute(count) }));
      const named = aJobRecord({ at: minute(0), jobId: "zzz" });
      const theirs = aJobRecord({ at: minute(6), installation: "clinic-b" });
      for (const record of [named, ...ours, theirs]) await one.create(record);

      const newestFirst = [...ours, named].sort((left, right) => (left.requestedAt < right.requestedAt ? 1 : -1));
      expect(await other.list("clinic-a")).toEqual(newestFirst);
      expect(await other.list("clinic-a", 2)).toEqual(newestFirst.slice(0, 2));
      expect(await other.list("clinic-a", 0)).toEqual([]);
      expect(await other.list("clinic-b", 9)).toEqual([theirs]);
      expect(await other.list("clinic-c")).toEqual([]);
    });

    it("lists only jobs that are asked for, however many others came after them", async () => {
      const done: JobEnding = { ...succeeded, endedAt: moment(3) };
      const asked = [
        aJobRecord({ at: minute(1), kind: "check" }),
        aJobRecord({ at: minute(2), kind: "check" }),
        aJobRecord({ at: minute(3), kind: "check", dryRun: true }),
      ];
      for (const record of asked) {
        await one.create(record);
        await one.end(record, done);
      }
      for (let count = 4; count < 24; count += 1) await one.create(aJobRecord({ at: minute(count) }));
      await one.create(aJobRecord({ at: minute(24), kind: "check" }));

      const ids = async (...asking: Parameters<JobLedger["list"]>) =>
        (await other.list(...asking)).map(({ jobId }) => jobId);
      const [first, second, third] = asked.map(({ jobId }) => jobId);
      expect(await ids("clinic-a", 9, { kind: "check", status: "succeeded" })).toEqual([third, second, first]);
      expect(await ids("clinic-a", 1, { kind: "check", status: "succeeded", dryRun: false })).toEqual([second]);
      expect(await ids("clinic-a", 9, { kind: "check", requestedBefore: minute(2) })).toEqual([first]);
      expect(await ids("clinic-a", 9, { kind: "drill" })).toEqual([]);
      expect(await ids("clinic-b", 9, { kind: "check" })).toEqual([]);
    });

    it("makes a requested job a running one with its first step", async () => {
      const record = aJobRecord();
      await one.create(record);
      await other.note(record, { name: "begun", by: "workflow", at: moment(1) });
      await other.note(record, { name: "database", by: "container", at: moment(2), figures: { rows: 7 } });

      expect(await one.get(record)).toEqual({
        ...record,
        status: "running",
        startedAt: moment(1),
        steps: [
          { name: "begun", by: "workflow", at: moment(1) },
          { name: "database", by: "container", at: moment(2), figures: { rows: 7 } },
        ],
      });
    });

    it("keeps the newest note of each step", async () => {
      const record = aJobRecord();
      await one.create(record);
      await one.note(record, { name: "database", by: "container", at: moment(1), figures: { rows: 7, tables: 1 } });
      await one.note(record, { name: "database", by: "container", at: moment(2), figures: { rows: 9 } });
      await one.note(record, { name: "sites", by: "container", at: moment(3) });

      expect((await other.get(record))?.steps).toEqual([
        { name: "database", by: "container", at: moment(2), figures: { rows: 9 } },
        { name: "sites", by: "container", at: moment(3) },
      ]);
    });

    it("loses no step of two that are noted at once", async () => {
      const record = aJobRecord();
      await one.create(record);
      await Promise.all(
        ["database", "sites", "seal", "a step.of #words"].map((step, index) =>
          (index % 2 ? one : other).note(record, { name: step, by: "container", at: moment(index) }),
        ),
      );

      const steps = (await one.get(record))?.steps ?? [];
      expect(steps.map((step) => step.name).sort()).toEqual(["a step.of #words", "database", "seal", "sites"]);
    });

    it("notes nothing of a job that has ended, or that nobody created", async () => {
      const record = aJobRecord();
      await one.create(record);
      await one.end(record, failed);
      await other.note(record, { name: "database", by: "container", at: moment(11) });
      await other.note(nobody, { name: "database", by: "container", at: moment(11) });

      expect(await one.get(record)).toEqual({ ...record, ...failed });
      expect(await one.get(nobody)).toBeUndefined();
    });

    it("ends a job as its first ending says, and tells every caller that one", async () => {
      const record = aJobRecord();
      await one.create(record);
      await one.note(record, { name: "begun", by: "workflow", at: moment(1) });
      const running = await one.get(record);
      const ended = { ...running, ...succeeded };

      expect(await one.end(record, succeeded)).toEqual(ended);
      expect(await other.end(record, failed)).toEqual(ended);
      expect(await other.get(record)).toEqual(ended);
      expect(await other.list("clinic-a")).toEqual([ended]);
    });

    it("gives all who end a job at once the same ending", async () => {
      const record = aJobRecord();
      await one.create(record);
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) => (index % 2 ? one : other).end(record, index % 3 ? failed : succeeded)),
      );

      const known = await one.get(record);
      for (const answer of answers) expect(answer).toEqual(known);
    });

    it("ends no job that nobody created", async () => {
      expect(await one.end(nobody, failed)).toBeUndefined();
      expect(await one.get(nobody)).toBeUndefined();
    });

    it("does a thing once for each key", async () => {
      const done: string[] = [];
      const act = (word: string) => async () => void done.push(word);

      expect(await one.once(told("a"), act("a"))).toBe(true);
      expect(await other.once(told("a"), act("a again"))).toBe(false);
      expect(await other.once(told("b"), act("b"))).toBe(true);
      clock.advance(3600);
      expect(await one.once(told("a"), act("a much later"))).toBe(false);
      expect(done).toEqual(["a", "b"]);
    });

    it("does it again when it failed, and lets the failure through", async () => {
      const failure = new TaskLostError("first");
      await expect(one.once(told("a"), async () => Promise.reject(failure))).rejects.toBe(failure);

      expect(await other.once(told("a"), async () => {})).toBe(true);
      expect(await one.once(told("a"), async () => {})).toBe(false);
    });

    it("asks whoever comes meanwhile to come again", async () => {
      let finish = (): void => undefined;
      let begun = (): void => undefined;
      const under = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const first = one.once(told("a"), () => {
        begun();
        return new Promise<void>((resolve) => {
          finish = resolve;
        });
      });
      await under;
      await expect(other.once(told("a"), async () => {})).rejects.toThrow(ControlPlaneUnavailableError);

      finish();
      expect(await first).toBe(true);
      expect(await other.once(told("a"), async () => {})).toBe(false);
    });

    it("does it again a minute after a caller died under way", async () => {
      await new Promise<void>((begun) => {
        void one.once(told("a"), () => {
          begun();
          return new Promise<void>(() => {});
        });
      });
      clock.advance(59);
      await expect(other.once(told("a"), async () => {})).rejects.toThrow(ControlPlaneUnavailableError);

      clock.advance(2);
      expect(await other.once(told("a"), async () => {})).toBe(true);
    });

    it("does a thing once when many want to at the same time", async () => {
      let done = 0;
      await Promise.allSettled(
        Array.from({ length: 12 }, (_, index) =>
          (index % 2 ? one : other).once(told("a"), async () => {
            done += 1;
          }),
        ),
      );

      expect(done).toBe(1);
      expect(await one.once(told("a"), async () => {})).toBe(false);
    });
  });
};
