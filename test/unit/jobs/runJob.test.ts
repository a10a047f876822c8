import { DiskFullError, InstallationBusyError, JobAbortedError, TaskStoppedError } from "@openemr-ops/core/errors";
import type { LockingInput } from "@openemr-ops/events/jobKinds";
import { type RunPorts, runJob } from "@openemr-ops/jobs/runJob";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../support/manualClock.ts";
import { memoryJobs } from "../../support/memoryJobs.ts";
import { memoryLocks } from "../../support/memoryLocks.ts";

const restoreInPlace: LockingInput = { kind: "restore", dryRun: false, inPlace: true };
const done = { result: "all of it", report: { figures: { rows: 3 }, result: { dumpId: "one" } } };

const aProgram = () => {
  const { now } = manualClock();
  const stop = new AbortController();
  const jobs = memoryJobs();
  const locks = memoryLocks(now);
  const run = (work: Parameters<typeof runJob<string>>[3], changes: Partial<RunPorts> = {}) =>
    runJob("clinic-a", restoreInPlace, { jobs, locks, now, signal: stop.signal, ...changes }, work);
  const dumps = { installation: "clinic-a", resource: "dump-repository", owner: "a dump", leaseSeconds: 60 };
  return { jobs, locks, run, stop, dumps, records: () => jobs.list("clinic-a") };
};

describe("a job that no workflow runs", () => {
  it("works under a record of its own and all of its locks, and releases them", async () => {
    const { locks, run, records } = aProgram();
    const outcome = await run(async () => {
      const [record] = await records();
      const { jobId } = record ?? {};
      expect(record).toMatchObject({ kind: "restore", status: "running", dryRun: false });
      expect(locks.held()).toEqual([`clinic-a/service ${jobId}`, `clinic-a/dump-repository ${jobId}`]);
      return done;
    });

    expect(outcome).toEqual(done);
    expect(locks.held()).toEqual([]);
    expect(await records()).toMatchObject([{ status: "succeeded", ...done.report, endedAt: expect.any(String) }]);
  });

  it.each([
    ["of the configuration by its number", {}, { copy: "1" }],
    [
      "that the configuration does not list by its place",
      { to: "file:///mnt/usb" },
      { destination: "file:///mnt/usb" },
    ],
  ])("has in its record a copy %s", async (_, more, result) => {
    const { jobs, locks, records } = aProgram();
    const { now } = manualClock();
    const input = { kind: "copy", dryRun: false, copy: 1, ...more } as LockingInput;
    const none = { result: "", report: { figures: {}, result: {} } };
    await runJob(
      "clinic-a",
      input,
      { jobs, locks, now, signal: new AbortController().signal },
      async (_held, running) => {
        expect(running.result).toEqual(result);
        return none;
      },
    );

    expect((await records())[0]?.result).toEqual(result);
  });

  it("is refused when one of its locks is another's, holds none then, and does nothing", async () => {
    const { locks, run, records, dumps } = aProgram();
    await locks.acquire(dumps);
    const work = () => Promise.reject(new Error("it worked"));

    await expect(run(work)).rejects.toThrow(InstallationBusyError);
    expect(locks.held()).toEqual(["clinic-a/dump-repository a dump"]);
    expect(await records()).toMatchObject([{ status: "failed", error: { name: "InstallationBusyError" } }]);
  });

  it("fails under the name of what went wrong", async () => {
    const { locks, run, records } = aProgram();

    await expect(run(() => Promise.reject(new DiskFullError("no space left")))).rejects.toThrow(DiskFullError);
    expect(locks.held()).toEqual([]);
    expect(await records()).toMatchObject([
      { status: "failed", error: { name: "DiskFullError", message: "no space left" } },
    ]);
  });

  it.each([
    { reason: undefined, error: JobAbortedError },
    { reason: new TaskStoppedError("the container was asked to stop"), error: TaskStoppedError },
  ])("is aborted when someone asked it to stop, whatever its work fails with", async ({ reason, error }) => {
    const { locks, run, records, stop } = aProgram();
    const work = async (signal: AbortSignal) => {
      stop.abort(reason);
      expect(signal.aborted).toBe(true);
      throw new Error("a child was killed");
    };

    await expect(run(work)).rejects.toThrow(error);
    expect(locks.held()).toEqual([]);
    expect(await records()).toMatchObject([{ status: "aborted", error: { name: error.name } }]);
  });

  it("is not begun without a record, and a failure is reported although its record cannot be kept", async () => {
    const { jobs, run } = aProgram();
    const failing = (after: number) => {
      let saved = 0;
      const save: RunPorts["jobs"]["save"] = async (record) => {
        if (saved++ >= after) throw new DiskFullError("no space for records");
        await jobs.save(record);
      };
      return { jobs: { save } };
    };

    await expect(run(() => Promise.reject(new Error("it worked")), failing(0))).rejects.toThrow("no space for records");
    await expect(run(() => Promise.reject(new TaskStoppedError("first")), failing(1))).rejects.toThrow("first");
  });
});
