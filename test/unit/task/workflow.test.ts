import {
  ControlPlaneUnavailableError,
  InstallationBusyError,
  IntegrityError,
  JobAbortedError,
  TaskStoppedError,
  UnexpectedError,
} from "@openemr-ops/core/errors";
import type { LockRequest } from "@openemr-ops/core/locks";
import { type JobEvent, jobProgressed } from "@openemr-ops/events/jobEvent";
import { taskReport } from "@openemr-ops/events/workflowSteps";
import type { Operations } from "@openemr-ops/task/operations";
import { runTask } from "@openemr-ops/task/taskProgram";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { aVerdict, dumpId, type Job, memoryOperations, type Steps } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, type ConfigDirectory, databasePassword } from "../../support/configuration.ts";
import { memoryJobLedger } from "../../support/memoryJobLedger.ts";
import { memoryLocks } from "../../support/memoryLocks.ts";
import { memoryTokens } from "../../support/memoryTokens.ts";

const jobId = "01K9ZV6T5W8QH3N2R4X7BCDEFG";
const token = "canary-token-77aa";
const start = new Date("2026-11-21T04:00:00.000Z");

let directory: ConfigDirectory;
beforeEach(async () => {
  vi.useFakeTimers({ now: start, toFake: ["setInterval", "clearInterval", "Date"] });
  directory = await aConfigDirectory();
});
afterEach(async () => {
  vi.useRealTimers();
  await directory[Symbol.asyncDispose]();
});

/** Seconds pass, and with each its heartbeats. */
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

/** A stage of the control plane in memory, with one job in it that waits for its container. */
const aStage = async (kind: "dump" | "drill" | "check" | "restore" = "dump") => {
  const now = () => new Date();
  const ledger = memoryJobLedger(now);
  await ledger.create(aJobRecord({ jobId, kind }));
  const published: JobEvent[] = [];
  return {
    ledger,
    locks: memoryLocks(now),
    tokens: memoryTokens(),
    published,
    publish: async (event: JobEvent) => void published.push(event),
  };
};
type Stage = Awaited<ReturnType<typeof aStage>>;

const run = async (
  stage: Stage,
  operations: Operations,
  {
    job = { kind: "dump" } as { readonly kind: string; readonly [field: string]: unknown },
    signal = new AbortController().signal,
    environment = {},
  } = {},
) => {
  const written = { results: [] as string[], log: [] as string[] };
  const stages: string[] = [];
  const exitCode = await runTask({
    environment: {
      OPENEMR_OPS_CONFIG: await directory.write(aConfig()),
      OPENEMR_OPS_JOB: JSON.stringify(job),
      OPENEMR_OPS_TASK_TOKEN: token,
      OPENEMR_OPS_STAGE: "test",
      OPENEMR_OPS_JOB_ID: jobId,
      OPENEMR_OPS_JOB_KIND: job.kind === "retention" ? "dump" : job.kind,
      ...environment,
    },
    cwd: "/nonexistent",
    writeResult: (text) => written.results.push(text),
    writeLog: (line) => written.log.push(line),
    now: () => new Date(),
    signal,
    openOperations: async () => operations,
    openWorkflow: async (name) => {
      stages.push(name);
      return stage;
    },
  });
  expect(written.results).toHaveLength(1);
  const said = written.results.join("") + written.log.join("\n");
  expect(said).not.toContain(token);
  return { exitCode, stages, said, result: JSON.parse(written.results[0] ?? ""), log: written.log };
};

/** Work that takes until it is told to end or is aborted. */
const longWork = () => {
  const ending = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<Job>();
  const work = async <Result>(job: Job, result: Result): Promise<Result> => {
    begun.resolve(job);
    const aborted = new Promise<never>((_, reject) => {
      job.signal.addEventListener("abort", () => reject(job.signal.reason));
    });
    await Promise.race([ending.promise, aborted]);
    return result;
  };
  return { begun: begun.promise, end: ending.resolve, work };
};

const locked = (owner = jobId): LockRequest => ({
  installation: "clinic-a",
  resource: "dump-repository",
  owner,
  leaseSeconds: 120,
});

describe("the container program in a workflow", () => {
  it.each<[{ readonly kind: string }, object, object]>([
    [
      { kind: "dump" },
      { rows: 1_234_567, databaseBytes: 1536, seconds: 4.2 },
      { dumpId, destination: "file:///srv/backups/clinic-a", manifestDigest: "0".repeat(64) },
    ],
    [
      { kind: "drill" },
      {
        tables: 5,
        rows: 10,
        files: 3,
        filesBytes: 2048,
        documents: 2,
        warnings: 0,
        restoreSeconds: 2,
        compareSeconds: 1,
      },
      {
        dumpId,
        takenAt: aVerdict.takenAt,
        verdict: "passed",
        keyProof: "proven",
        database: "restored",
        sites: "/srv/restore",
      },
    ],
    [{ kind: "check" }, { dumps: 1, seconds: 1 }, { level: "objects" }],
    [{ kind: "retention" }, { kept: 0, expired: 0, orphans: 0 }, {}],
  ])("reports the figures and identifiers of %j, never its manifest", async (job, figures, result) => {
    const stage = await aStage();
    const ended = await run(stage, memoryOperations(), { job });

    expect(ended.exitCode).toBe(0);
    expect(ended.stages).toEqual(["test"]);
    expect(stage.tokens.heard).toEqual([{ token, output: { figures, result } }]);
    expect(taskReport.parse(ended.result)).toEqual({ figures, result });
  });

  it("reports what a dry run would do, and no dump that a later job could miss", async () => {
    const stage = await aStage();
    const plan = {
      dryRun: true as const,
      destination: "file:///srv/backups/clinic-a",
      format: "restic" as const,
      server: "MariaDB 11",
      tables: 3,
      exactTables: [],
      views: 1,
      sites: ["default"],
      warnings: [],
    };
    await run(stage, memoryOperations({ takeDump: async () => plan }), { job: { kind: "dump", dryRun: true } });

    expect(stage.tokens.heard).toEqual([
      { token, output: { figures: { tables: 3, views: 1, warnings: 0 }, result: {} } },
    ]);
  });

  it("sends a heartbeat at once, and every so many seconds", async () => {
    const stage = await aStage();
    const { begun, end, work } = longWork();
    const ending = run(stage, memoryOperations({ drillDump: (job) => work(job, aVerdict) }), {
      job: { kind: "drill" },
      environment: { OPENEMR_OPS_HEARTBEAT_SECONDS: "5" },
    });
    await begun;
    expect(stage.tokens.beats()).toBe(1);
    await pass(20);
    expect(stage.tokens.beats()).toBe(5);
    end();
    expect((await ending).exitCode).toBe(0);
    await pass(60);
    expect(stage.tokens.beats()).toBe(5);
  });

  it("goes on when heartbeats do not get through", async () => {
    const stage = await aStage();
    const { begun, end, work } = longWork();
    const ending = run(stage, memoryOperations({ drillDump: (job) => work(job, aVerdict) }), {
      job: { kind: "drill" },
    });
    await begun;
    stage.tokens.failNext(new ControlPlaneUnavailableError("away"), new ControlPlaneUnavailableError("away"));
    await pass(30);
    end();
    const { exitCode, log } = await ending;
    expect(exitCode).toBe(0);
    expect(log.filter((line) => line.includes("heartbeat (ControlPlaneUnavailableError)"))).toHaveLength(2);
    expect(stage.tokens.heard).toHaveLength(1);
  });

  it("does nothing for a workflow that has ended before", async () => {
    const stage = await aStage();
    stage.tokens.end();
    const operations = memoryOperations();
    const { exitCode, result } = await run(stage, operations);

    expect(exitCode).toBe(4);
    expect(result).toMatchObject({ error: { name: "JobAbortedError" } });
    expect(operations.asked).toEqual([]);
  });

  it("stops at the next heartbeat when the workflow no longer waits, and lets its lock go", async () => {
    const stage = await aStage();
    await stage.locks.acquire({ ...locked(), leaseSeconds: 900 });
    const { begun, work } = longWork();
    const takeDump = (job: Job): Promise<never> => work(job, undefined as never);
    const ending = run(stage, memoryOperations({ takeDump }));
    const job = await begun;
    expect(stage.locks.held()).toEqual([`clinic-a/dump-repository ${jobId}`]);
    stage.tokens.end();
    await pass(10);
    const { exitCode, result } = await ending;

    expect(job.signal.reason).toBeInstanceOf(JobAbortedError);
    expect(exitCode).toBe(4);
    expect(result.error).toMatchObject({
      name: "JobAbortedError",
      message: expect.stringContaining("no longer waits"),
    });
    expect(stage.locks.held()).toEqual([]);
    expect(stage.tokens.heard).toEqual([]);
  });

  it("leaves the workflow's lock held for its next step, with time for that", async () => {
    const stage = await aStage();
    const first = await stage.locks.acquire({ ...locked(), leaseSeconds: 900 });
    const takeDump: Steps["takeDump"] = async (job, options) => {
      await pass(300);
      expect((await stage.locks.acquire({ ...locked(), leaseSeconds: 900 })).fence).toBe(first.fence);
      return memoryOperations().takeDump(job, options);
    };
    expect((await run(stage, memoryOperations({ takeDump }))).exitCode).toBe(0);
    vi.setSystemTime(Date.now() + 599_000);

    await expect(stage.locks.acquire(locked("job-2"))).rejects.toThrow(InstallationBusyError);
  });

  it("works under all the locks that its workflow took, and loses none of them to a job that comes meanwhile", async () => {
    const stage = await aStage("restore");
    const held = [`clinic-a/service ${jobId}`, `clinic-a/dump-repository ${jobId}`];
    const restoreDump: Steps["restoreDump"] = async () => {
      expect(stage.locks.held()).toEqual(held);
      await pass(3600);
      await expect(stage.locks.acquire(locked("a dump"))).rejects.toThrow(InstallationBusyError);
      return aVerdict;
    };
    const job = { kind: "restore", dump: "latest", inPlace: true };
    expect((await run(stage, memoryOperations({ restoreDump }), { job })).exitCode).toBe(0);

    expect(stage.locks.held()).toEqual(held);
  });

  it("does nothing when another job has one of its locks", async () => {
    const stage = await aStage("restore");
    await stage.locks.acquire(locked("a dump"));
    const operations = memoryOperations();
    const job = { kind: "restore", dump: "latest", inPlace: true };

    expect((await run(stage, operations, { job })).exitCode).toBe(5);
    expect(operations.asked).toEqual([]);
  });

  it("stops its work when it loses a lock", async () => {
    const stage = await aStage();
    const { begun, work } = longWork();
    const ending = run(stage, memoryOperations({ takeDump: (job) => work(job, undefined as never) }));
    await begun;
    await stage.locks.expireWithin({ ...locked() }, 0);
    await stage.locks.acquire({ ...locked("another"), leaseSeconds: 3600 });
    await pass(40);

    expect((await ending).exitCode).toBe(5);
    expect(stage.locks.held()).toEqual(["clinic-a/dump-repository another"]);
  });

  it("works under the job's record, which the workflow keeps, and sees earlier dumps", async () => {
    const stage = await aStage();
    const earlier = aJobRecord({
      status: "succeeded",
      result: { dumpId, destination: "file:///srv/backups/clinic-a" },
    });
    await stage.ledger.create(earlier);
    const operations = memoryOperations();
    await run(stage, operations);

    expect((await stage.ledger.get({ installation: "clinic-a", jobId }))?.status).toBe("running");
    expect(await operations.asked[0]?.job.history?.list("clinic-a")).toContainEqual(earlier);
  });

  it("notes a step when it begins and once a minute, in the record and on the bus, before its result", async () => {
    const stage = await aStage();
    const drillDump: Steps["drillDump"] = async ({ progress }) => {
      progress({ step: "load", bytes: 1, totalBytes: 9, detail: "patient_data" });
      await pass(30);
      progress({ step: "load", bytes: 3, totalBytes: 9 });
      progress({ step: "compare" });
      await pass(31);
      progress({ step: "load", bytes: 9, totalBytes: 9 });
      return aVerdict;
    };
    const noted: unknown[] = [];
    const succeed = stage.tokens.succeed;
    const tokens = {
      ...stage.tokens,
      succeed: async (given: string, output: unknown) => {
        noted.push(...((await stage.ledger.get({ installation: "clinic-a", jobId }))?.steps ?? []));
        return succeed(given, output);
      },
    };
    await run({ ...stage, tokens }, memoryOperations({ drillDump }), { job: { kind: "drill" } });

    expect(noted).toEqual([
      { name: "prepare", by: "container", at: "2026-11-21T04:00:00.000Z", figures: {} },
      { name: "compare", by: "container", at: "2026-11-21T04:00:30.000Z", figures: {} },
      { name: "load", by: "container", at: "2026-11-21T04:01:01.000Z", figures: { bytes: 9, totalBytes: 9 } },
    ]);
    expect(stage.published.map(({ name, detail }) => [name, "step" in detail && detail.step])).toEqual([
      ["JobProgressed", "prepare"],
      ["JobProgressed", "load"],
      ["JobProgressed", "compare"],
      ["JobProgressed", "load"],
    ]);
    for (const { detail } of stage.published) {
      expect(jobProgressed.parse(detail)).toMatchObject({
        jobId,
        kind: "drill",
        installation: "clinic-a",
        dryRun: false,
      });
    }
  });

  it("says in the record that a container is at work before it does anything", async () => {
    const stage = await aStage();
    let steps: unknown;
    const drillDump: Steps["drillDump"] = async () => {
      steps = (await stage.ledger.get({ installation: "clinic-a", jobId }))?.steps;
      return aVerdict;
    };
    await run(stage, memoryOperations({ drillDump }), { job: { kind: "drill" } });

    expect(steps).toMatchObject([{ name: "prepare" }]);
  });

  it("reports a retention run as part of the dump that it follows", async () => {
    const stage = await aStage();
    const applyRetention: Steps["applyRetention"] = async ({ progress }) => {
      progress({ step: "expire" });
      return { dryRun: false, keep: [], expire: [], orphans: [] };
    };
    await run(stage, memoryOperations({ applyRetention }), { job: { kind: "retention" } });

    expect(stage.published.at(-1)).toMatchObject({ name: "JobProgressed", detail: { kind: "dump", step: "expire" } });
  });

  it("does its work although records and bus do not answer", async () => {
    const stage = await aStage();
    const away = () => Promise.reject(new ControlPlaneUnavailableError("away"));
    const drillDump: Steps["drillDump"] = async ({ progress }) => {
      progress({ step: "load" });
      return aVerdict;
    };
    const broken = { ...stage, publish: away, ledger: { ...stage.ledger, note: away } };
    const { exitCode, log } = await run(broken, memoryOperations({ drillDump }), { job: { kind: "drill" } });

    expect(exitCode).toBe(0);
    expect(log.filter((line) => line.includes("was not noted"))).toHaveLength(4);
    expect(stage.tokens.heard).toHaveLength(1);
  });

  it.each([
    [new IntegrityError("a byte differs"), "IntegrityError", "a byte differs", 6],
    [new InstallationBusyError("held by another"), "InstallationBusyError", "held by another", 5],
    [new Error(`secret ${databasePassword}`), "UnexpectedError", "unforeseen failure: Error", 4],
  ])("tells the workflow of a failure under its name: %s", async (failure, name, message, exitCode) => {
    const stage = await aStage();
    const ended = await run(stage, memoryOperations({ takeDump: () => Promise.reject(failure) }));

    expect(ended.exitCode).toBe(exitCode);
    expect(ended.result).toEqual({ error: { name, message } });
    expect(ended.said).not.toContain(databasePassword);
    expect(stage.tokens.heard).toEqual([{ token, failure: { name, message } }]);
  });

  it("tells the workflow what is wrong with the job or the configuration, and starts nothing", async () => {
    for (const environment of [{ OPENEMR_OPS_JOB: '{"kind":"dumb"}' }, { OPENEMR_OPS_CONFIG: "/nonexistent/c.json" }]) {
      const stage = await aStage();
      const operations = memoryOperations();
      const { exitCode } = await run(stage, operations, { environment });

      expect(exitCode).toBe(2);
      expect(operations.asked).toEqual([]);
      const [variable = ""] = Object.keys(environment);
      expect(stage.tokens.heard).toMatchObject([
        { failure: { name: "InvalidInputError", message: expect.stringContaining(variable) } },
      ]);
    }
  });

  it("ends in order when the container is asked to stop, as a task that was stopped", async () => {
    const stage = await aStage();
    const stop = new AbortController();
    const { begun, work } = longWork();
    const ending = run(stage, memoryOperations({ drillDump: (job) => work(job, aVerdict) }), {
      job: { kind: "drill" },
      signal: stop.signal,
    });
    const job = await begun;
    stop.abort();
    const { exitCode } = await ending;

    expect(job.signal.reason).toBeInstanceOf(TaskStoppedError);
    expect(exitCode).toBe(4);
    expect(stage.tokens.heard).toMatchObject([{ failure: { name: "TaskStoppedError" } }]);
  });

  it("reports work that came to its end although the container was asked to stop", async () => {
    const stage = await aStage();
    const stop = new AbortController();
    const drillDump: Steps["drillDump"] = async () => {
      stop.abort();
      return aVerdict;
    };
    const ended = await run(stage, memoryOperations({ drillDump }), { job: { kind: "drill" }, signal: stop.signal });

    expect(ended.exitCode).toBe(0);
    expect(stage.tokens.heard).toMatchObject([{ output: { result: { dumpId } } }]);
  });

  it("says it again when the workflow is not reached with the result", async () => {
    const stage = await aStage();
    const drillDump: Steps["drillDump"] = async () => {
      stage.tokens.failNext(new ControlPlaneUnavailableError("away"));
      return aVerdict;
    };
    const { exitCode, log } = await run(stage, memoryOperations({ drillDump }), { job: { kind: "drill" } });

    expect(exitCode).toBe(0);
    expect(log.join("\n")).toContain("the workflow was not reached (ControlPlaneUnavailableError); trying again");
    expect(stage.tokens.heard).toHaveLength(1);
  });

  it("fails under a name when the workflow cannot take the result", async () => {
    const stage = await aStage();
    const drillDump: Steps["drillDump"] = async () => {
      stage.tokens.failNext(new UnexpectedError("the result has 300000 bytes"));
      return aVerdict;
    };
    const { exitCode } = await run(stage, memoryOperations({ drillDump }), { job: { kind: "drill" } });

    expect(exitCode).toBe(4);
    expect(stage.tokens.heard).toMatchObject([{ failure: { name: "UnexpectedError" } }]);
  });

  it.each([
    ["OPENEMR_OPS_STAGE", ""],
    ["OPENEMR_OPS_STAGE", "Prod uction"],
    ["OPENEMR_OPS_JOB_ID", ""],
    ["OPENEMR_OPS_JOB_KIND", ""],
    ["OPENEMR_OPS_JOB_KIND", "retention"],
    ["OPENEMR_OPS_JOB_ID", "a/b"],
    ["OPENEMR_OPS_HEARTBEAT_SECONDS", "0"],
    ["OPENEMR_OPS_HEARTBEAT_SECONDS", "soon"],
  ])("refuses a token with %s=%j", async (name, value) => {
    const operations = memoryOperations();
    const { exitCode, result } = await run(await aStage(), operations, { environment: { [name]: value } });

    expect(exitCode).toBe(2);
    expect(result.error.issues).toMatchObject([{ path: name }]);
    expect(operations.asked).toEqual([]);
  });
});
