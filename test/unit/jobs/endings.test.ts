import { ControlPlaneUnavailableError, RetryableError } from "@openemr-ops/core/errors";
import type { JobStep, NotedStep } from "@openemr-ops/core/jobs";
import { jobEvents } from "@openemr-ops/events/jobEvent";
import type { FailRequest, FinishRequest } from "@openemr-ops/events/workflowSteps";
import { beginJob } from "@openemr-ops/jobs/beginJob";
import { type ExecutionEnd, endExecution, workflowOf } from "@openemr-ops/jobs/endExecution";
import { failJob } from "@openemr-ops/jobs/failJob";
import { finishJob } from "@openemr-ops/jobs/finishJob";
import type { JobPorts } from "@openemr-ops/jobs/ports";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  aBeginRequest,
  arnsOf,
  endsIn,
  interferedPorts,
  type MemoryControlPlane,
  memoryControlPlane,
  stageOfTests,
} from "../../support/memoryControlPlane.ts";

const jobId = "01K9ZV6T5W8QH3N2R4X7BCDEFG";
const dumpId = "01K9ZV9QK3W8QH3N2R4X7BCDEF";
const lock = `clinic-a/dump-repository ${jobId}`;
const job = { jobId, kind: "dump", installation: "clinic-a", dryRun: false } as const;
const { execution, stateMachine } = arnsOf("DumpInstallation", jobId);

const aFinishRequest = (changes: Partial<FinishRequest> = {}): FinishRequest => ({
  job,
  reports: [
    { figures: { rows: 12, seconds: 60 }, result: { dumpId } },
    { figures: { removed: 2, seconds: 3 }, result: {} },
  ],
  ...changes,
});

const aFailRequest = (changes: Partial<FailRequest> = {}): FailRequest => ({
  kind: "dump",
  installation: "clinic-a",
  execution: aBeginRequest().execution,
  failure: { Error: "DatabaseUnavailableError", Cause: "the server went away" },
  state: { job },
  ...changes,
});

const anExecutionEnd = (changes: Partial<ExecutionEnd> = {}): ExecutionEnd => ({
  execution,
  name: jobId,
  stateMachine,
  status: "ABORTED",
  startedAt: new Date("2026-11-20T12:00:00.000Z"),
  endedAt: new Date("2026-11-20T12:05:00.000Z"),
  input: {},
  ...changes,
});

let plane: MemoryControlPlane;
beforeEach(() => {
  plane = memoryControlPlane();
});

const containerBegins = () =>
  plane.ledger.note(
    { installation: "clinic-a", jobId },
    { name: "database", by: "container", at: plane.now().toISOString() },
  );
const abort = (changes: Partial<ExecutionEnd> = {}, ports: JobPorts = plane) =>
  endExecution(anExecutionEnd(changes), stageOfTests, ports);

const eventsFit = () => {
  for (const { name, detail } of plane.events) expect(jobEvents[name].safeParse(detail).error).toBeUndefined();
};

describe("a job that succeeded", () => {
  it("ends with a record, an event and a free lock", async () => {
    await beginJob(aBeginRequest(), plane);
    plane.clock.advance(90);
    const finished = await finishJob(aFinishRequest(), plane);

    const ending = { figures: { rows: 12, removed: 2, seconds: 60 }, result: { dumpId } };
    expect(finished).toEqual({ jobId, ...ending });
    const at = "2026-11-20T12:01:30.000Z";
    expect(plane.ledger.records()).toMatchObject([{ jobId, status: "succeeded", endedAt: at, ...ending }]);
    expect(plane.events.at(-1)).toEqual({
      name: "JobSucceeded",
      detail: { version: 1, ...job, execution, at, seconds: 90, ...ending },
    });
    expect(plane.locks.held()).toEqual([]);
    eventsFit();
  });

  it("ends once, however often its end is reported", async () => {
    await beginJob(aBeginRequest(), plane);
    await finishJob(aFinishRequest(), plane);
    const before = plane.ledger.records();
    plane.clock.advance(60);
    await finishJob(aFinishRequest({ reports: [] }), plane);

    expect(plane.ledger.records()).toEqual(before);
    expect(endsIn(plane)).toEqual(["JobSucceeded"]);
  });

  it("stays a success when a later report says otherwise", async () => {
    await beginJob(aBeginRequest(), plane);
    await finishJob(aFinishRequest(), plane);
    await failJob(aFailRequest(), plane);
    await abort();

    expect(plane.ledger.records()).toMatchObject([{ status: "succeeded" }]);
    expect(endsIn(plane)).toEqual(["JobSucceeded"]);
  });

  it("is published although its record was lost", async () => {
    await finishJob(aFinishRequest(), plane);

    expect(plane.ledger.records()).toMatchObject([{ jobId, status: "succeeded", result: { dumpId } }]);
    expect(endsIn(plane)).toEqual(["JobSucceeded"]);
    eventsFit();
  });

  it("does not free the lock of the job that came after it", async () => {
    await beginJob(aBeginRequest(), plane);
    plane.clock.advance(901);
    await beginJob(aBeginRequest({ jobId: "next" }), plane);
    await finishJob(aFinishRequest(), plane);

    expect(plane.locks.held()).toEqual(["clinic-a/dump-repository next"]);
  });
});

describe("a job that failed", () => {
  it("ends with a record, an event and a free lock, and the execution's own failure", async () => {
    await beginJob(aBeginRequest(), plane);
    await containerBegins();
    plane.clock.advance(90);
    const failure = await failJob(aFailRequest(), plane);

    const error = { name: "DatabaseUnavailableError", message: "the server went away" };
    const at = "2026-11-20T12:01:30.000Z";
    expect(failure).toEqual(error);
    expect(plane.ledger.records()).toMatchObject([{ status: "failed", endedAt: at, error }]);
    expect(plane.events.at(-1)).toEqual({
      name: "JobFailed",
      detail: { version: 1, ...job, execution, status: "failed", at, seconds: 90, error, result: {} },
    });
    expect(plane.locks.held()).toEqual([]);
    eventsFit();
  });

  it("is recorded and published although it never began, as with bad input", async () => {
    const failure = {
      Error: "InvalidInputError",
      Cause: '{"errorType":"InvalidInputError","errorMessage":"dryrun: unknown setting"}',
    };
    await failJob(aFailRequest({ failure, state: { input: { dryRun: true, dryrun: true } } }), plane);

    const error = { name: "InvalidInputError", message: "dryrun: unknown setting" };
    expect(plane.ledger.records()).toEqual([
      {
        ...job,
        dryRun: true,
        status: "failed",
        requestedAt: "2026-11-20T12:00:00.000Z",
        execution,
        endedAt: plane.now().toISOString(),
        error,
        result: {},
      },
    ]);
    expect(plane.events).toMatchObject([{ name: "JobFailed", detail: { dryRun: true, error } }]);
    eventsFit();
  });

  it.each([
    ["dump.1", "dump_1"],
    ["Übung", "_bung"],
    ["x".repeat(90), "x".repeat(80)],
    ["", "_"],
  ])("is published under the name %j too, as %s", async (name, known) => {
    const failure = { Error: "InvalidInputError", Cause: "execution.name: expected 1 to 80 letters" };
    await failJob(aFailRequest({ failure, execution: { ...aBeginRequest().execution, name } }), plane);
    await abort({ status: "FAILED", name });

    expect(plane.events).toMatchObject([{ name: "JobFailed", detail: { jobId: known } }]);
    eventsFit();
  });

  it("leaves the lock to the job that was there first", async () => {
    await beginJob(aBeginRequest({ jobId: "first" }), plane);
    await expect(beginJob(aBeginRequest(), plane)).rejects.toThrow(/first/);
    await failJob(aFailRequest({ failure: { Error: "InstallationBusyError", Cause: "held by first" } }), plane);

    expect(plane.locks.held()).toEqual(["clinic-a/dump-repository first"]);
    expect(endsIn(plane)).toEqual(["JobFailed"]);
    expect(await plane.ledger.get({ installation: "clinic-a", jobId: "first" })).toMatchObject({ status: "running" });
  });

  it.each([
    { what: "another installation", other: { installation: "clinic-b" }, records: ["running", "failed"] },
    { what: "another workflow", other: { kind: "check" as const }, records: ["running"] },
  ])(
    "does not end the job of $what that has the same name, and is published nevertheless",
    async ({ other, records }) => {
      await beginJob(aBeginRequest(), plane);
      const elsewhere = { ...aBeginRequest().execution, id: arnsOf("CheckRepository", jobId, "clinic-b").execution };
      await failJob(aFailRequest({ ...other, execution: elsewhere }), plane);
      await failJob(aFailRequest({ ...other, execution: elsewhere }), plane);

      expect(plane.ledger.records().map(({ status }) => status)).toEqual(records);
      expect(plane.locks.held()).toEqual([lock]);
      expect(endsIn(plane)).toEqual(["JobFailed"]);
      expect(plane.events.at(-1)).toMatchObject({ detail: { ...other, execution: elsewhere.id } });

      await finishJob(aFinishRequest(), plane);
      expect(endsIn(plane)).toEqual(["JobFailed", "JobSucceeded"]);
      eventsFit();
    },
  );

  it("names the complete dump when only old ones could not be cleared, and none that was not confirmed", async () => {
    const report = { figures: {}, result: { dumpId } };
    const confirmed = { figures: {}, result: { dumpId, confirmedAt: "2026-11-20T12:04:00.000Z" } };
    await beginJob(aBeginRequest(), plane);
    await failJob(aFailRequest({ state: { job, report, confirmed } }), plane);
    expect(plane.events.at(-1)).toMatchObject({ name: "JobFailed", detail: { result: confirmed.result } });

    plane = memoryControlPlane();
    await beginJob(aBeginRequest(), plane);
    await failJob(aFailRequest({ state: { job, report } }), plane);
    expect(plane.events.at(-1)).toMatchObject({ name: "JobFailed", detail: { result: {} } });
    eventsFit();
  });

  it("says under its own name whether the way back was taken, and what stopped that", async () => {
    const failure = { Error: "DeploymentRolledBackError", Cause: "the service went back" };
    const ended = async (state: object) => (await failJob(aFailRequest({ failure, state }), plane)).message;
    const rolledBack = { figures: { sites: 2 }, result: { activeSlot: "A", user: "openemr_a" } };
    expect(await ended({ rolledBack })).toBe("the service went back; OpenEMR uses the database user openemr_a");
    const rollBackFailure = { Error: "SiteLoginError", Cause: JSON.stringify({ errorMessage: "site b is refused" }) };
    expect(await ended({ rollBackFailure })).toBe(
      "the service went back; the way back failed too (SiteLoginError: site b is refused)",
    );
    expect(await ended({ rollBackFailure: { Error: "States.TaskFailed", Cause: "canary" } })).not.toContain("canary");
    expect(await failJob(aFailRequest({ failure, state: { rollBackFailure } }), plane)).toMatchObject({
      name: "DeploymentRolledBackError",
    });
    eventsFit();
  });

  it.each(["States.HeartbeatTimeout", "States.Timeout"])(
    "keeps its lock for a minute after %s, since its container may still run",
    async (name) => {
      await beginJob(aBeginRequest(), plane);
      await containerBegins();
      await failJob(aFailRequest({ failure: { Error: name } }), plane);

      expect(plane.locks.held()).toEqual([lock]);
      plane.clock.advance(60);
      expect(plane.locks.held()).toEqual([]);
    },
  );

  it("frees its lock at once after a timeout when no container ever began", async () => {
    await beginJob(aBeginRequest(), plane);
    await failJob(aFailRequest({ failure: { Error: "States.HeartbeatTimeout" } }), plane);

    expect(plane.locks.held()).toEqual([]);
  });
});

describe("an execution that ended without a report", () => {
  it.each<[ExecutionEnd["status"], Partial<ExecutionEnd>, string, RegExp, string]>([
    ["ABORTED", {}, "JobAbortedError", /a person stopped/, "aborted"],
    [
      "ABORTED",
      { error: "JobAbortedError", cause: "stopped from the command line" },
      "JobAbortedError",
      /command line/,
      "aborted",
    ],
    ["ABORTED", { error: "Oops", cause: "secret words" }, "JobAbortedError", /a person stopped/, "aborted"],
    ["TIMED_OUT", {}, "JobTimeoutError", /longer than its time limit/, "failed"],
    ["FAILED", { error: "DiskFullError", cause: "no space left" }, "DiskFullError", /no space left/, "failed"],
    ["FAILED", { error: "States.Runtime", cause: "secret words" }, "UnexpectedError", /States\.Runtime/, "failed"],
    ["FAILED", {}, "UnexpectedError", /see the execution/, "failed"],
  ])("by %s with %j is published as %s", async (status, changes, name, message, recorded) => {
    await beginJob(aBeginRequest(), plane);
    await abort({ status, ...changes });

    const error = { name, message: expect.stringMatching(message) };
    expect(plane.ledger.records()).toMatchObject([{ status: recorded, error, endedAt: "2026-11-20T12:05:00.000Z" }]);
    expect(plane.events.at(-1)).toMatchObject({ name: "JobFailed", detail: { status: recorded, seconds: 300, error } });
    expect(JSON.stringify(plane.events)).not.toContain("secret");
    expect(plane.locks.held()).toEqual([]);
    eventsFit();
  });

  it("is published although its job never began", async () => {
    await abort({ input: { dryRun: true } });

    expect(plane.ledger.records()).toMatchObject([{ ...job, dryRun: true, status: "aborted", execution }]);
    expect(endsIn(plane)).toEqual(["JobFailed"]);
    await expect(beginJob(aBeginRequest(), plane)).rejects.toThrow(/has already ended/);
    expect(plane.locks.held()).toEqual([]);
    eventsFit();
  });

  it.each<[string, JobStep, number]>([
    ["a function noted", { name: "database", by: "function", at: "2026-11-20T12:01:00.000Z" }, 0],
    ["the workflow noted", { name: "prepare", by: "workflow", at: "2026-11-20T12:01:00.000Z" }, 0],
    ["a container noted", { name: "begun", by: "container", at: "2026-11-20T12:01:00.000Z" }, 1],
    ["a container of an earlier release may have noted", { name: "begun", at: "2026-11-20T12:01:00.000Z" }, 1],
  ])("with a step that %s leaves its lock to a container only when there is one", async (_, step, left) => {
    await beginJob(aBeginRequest(), plane);
    await plane.ledger.note({ installation: "clinic-a", jobId }, step as NotedStep);
    await abort();

    expect(plane.locks.held()).toHaveLength(left);
  });

  it("leaves the lock to a container that is at work, for a minute at most", async () => {
    await beginJob(aBeginRequest(), plane);
    await containerBegins();
    await abort();

    expect(plane.locks.held()).toEqual([lock]);
    plane.clock.advance(59);
    expect(plane.locks.held()).toEqual([lock]);
    plane.clock.advance(1);
    expect(plane.locks.held()).toEqual([]);
  });

  it("changes nothing where the failure was reported", async () => {
    await beginJob(aBeginRequest(), plane);
    await failJob(aFailRequest(), plane);
    const before = plane.ledger.records();
    await abort({ status: "FAILED", error: "DatabaseUnavailableError", cause: "the server went away" });

    expect(plane.ledger.records()).toEqual(before);
    expect(endsIn(plane)).toEqual(["JobFailed"]);
  });

  it("tells what its report could not, when the bus did not take it", async () => {
    const failure = new ControlPlaneUnavailableError("the bus does not answer");
    const broken = interferedPorts(
      plane,
      async (call) => (call === "publish" ? "fail before" : "pass"),
      () => failure,
    );
    await beginJob(aBeginRequest(), plane);
    await expect(failJob(aFailRequest(), broken)).rejects.toBe(failure);
    expect(plane.locks.held()).toEqual([]);
    await abort({ status: "FAILED", error: "DatabaseUnavailableError" });

    expect(plane.events.at(-1)).toMatchObject({
      name: "JobFailed",
      detail: { error: { message: "the server went away" } },
    });
    expect(endsIn(plane)).toHaveLength(1);
  });

  it.each<[string, object | undefined]>([
    ["openemr-ops-test-clinic-a-DumpInstallation", { installation: "clinic-a", kind: "dump" }],
    ["openemr-ops-test-a-RestoreDrill-b-CheckRepository", { installation: "a-RestoreDrill-b", kind: "check" }],
    ["openemr-ops-test-clinic-a-RestoreInstallation", { installation: "clinic-a", kind: "restore" }],
    ["openemr-ops-test-RestoreDrill", undefined],
    ["openemr-ops-prod-clinic-a-DumpInstallation", undefined],
    ["openemr-ops-test-clinic-a-SomethingElse", undefined],
    ["someone-elses", undefined],
  ])("of the state machine %s is that of %j", async (name, workflow) => {
    const machine = `arn:aws:states:eu-central-1:123456789012:stateMachine:${name}`;
    expect(workflowOf(stageOfTests, machine)).toEqual(workflow);
    await abort({ stateMachine: machine });

    expect(plane.events).toHaveLength(workflow ? 1 : 0);
  });
});

/** All that may run for one job, in whatever order and however often. */
const steps = {
  begin: (ports: JobPorts) => beginJob(aBeginRequest(), ports),
  work: (ports: JobPorts) =>
    ports.ledger.note(
      { installation: "clinic-a", jobId },
      { name: "database", by: "container", at: ports.now().toISOString() },
    ),
  finish: (ports: JobPorts) => finishJob(aFinishRequest(), ports),
  fail: (ports: JobPorts) => failJob(aFailRequest(), ports),
  lose: (ports: JobPorts) => failJob(aFailRequest({ failure: { Error: "States.HeartbeatTimeout" } }), ports),
  abort: (ports: JobPorts) => abort({}, ports),
  report: (ports: JobPorts) => abort({ status: "FAILED", error: "DatabaseUnavailableError" }, ports),
} satisfies Record<string, (ports: JobPorts) => Promise<unknown>>;
type Step = keyof typeof steps;

const anyStep = fc.constantFrom(...(Object.keys(steps) as Step[]));
const endings: readonly Step[] = ["finish", "fail", "lose", "abort", "report"];
/** At least one ending, so that there is an end to tell; often a begin and an ending alone, which nobody tidies up after. */
const anySteps: fc.Arbitrary<readonly Step[]> = fc.oneof(
  fc
    .tuple(fc.array(anyStep, { maxLength: 7 }), fc.constantFrom(...endings), fc.nat())
    .map(([before, ending, at]) => before.toSpliced(at % (before.length + 1), 0, ending)),
  fc.constantFrom(...endings).map((ending) => ["begin" as const, ending]),
);

/** Runs a step as its caller does: again while it asks for that. A job that has ended does not begin, which is no failure here. */
const insist = async (step: Step, ports: JobPorts): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const failure: unknown = await steps[step](ports).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(failure instanceof RetryableError)) {
      if (failure !== undefined && step !== "begin") throw failure;
      return;
    }
  }
  throw new Error(`${step} never came to its end`);
};

const expectOneEnd = () => {
  const [record, ...others] = plane.ledger.records();
  expect(others).toEqual([]);
  expect(record?.endedAt).toBeDefined();
  expect(endsIn(plane)).toEqual([record?.status === "succeeded" ? "JobSucceeded" : "JobFailed"]);
  expect(plane.events.filter(({ name }) => name === "JobStarted").length).toBeLessThan(2);
  plane.clock.advance(60);
  expect(plane.locks.held()).toEqual([]);
  eventsFit();
};

describe("whatever ends a job", () => {
  it("publishes it once and releases its lock, in any order, however the calls fall between each other", async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, fc.scheduler(), async (chosen, scheduler) => {
        plane = memoryControlPlane();
        const ports = interferedPorts(
          plane,
          async (call) => {
            await scheduler.schedule(Promise.resolve(), call);
            return "pass";
          },
          () => new Error("nothing fails here"),
        );
        await scheduler.waitFor(Promise.all(chosen.map((step) => insist(step, ports))));
        expectOneEnd();
      }),
      { numRuns: 400 },
    );
  });

  it("publishes it once and releases its lock, whichever calls fail or lose their answer", async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), async (chosen, dice) => {
        plane = memoryControlPlane();
        let luck = 60; // calls that may fail, so that there is an end
        const ports = interferedPorts(
          plane,
          async (call) => {
            const { value = 9 } = dice.next();
            luck -= 1;
            if (luck < 0 || value > 1) return "pass";
            // Of an event whose answer was lost nobody can know; see "leaves no lock" of a job that begins.
            return value === 0 || call === "publish" ? "fail before" : "fail after";
          },
          () => new ControlPlaneUnavailableError("no answer"),
        );
        for (const step of chosen) await insist(step, ports);
        expectOneEnd();
      }),
      { numRuns: 400 },
    );
  });

  it("publishes it although a process died between claiming to tell and telling", async () => {
    await beginJob(aBeginRequest(), plane);
    const dead = interferedPorts(
      plane,
      (call) => (call === "publish" ? new Promise(() => {}) : Promise.resolve("pass")),
      () => new Error("nothing fails here"),
    );
    void failJob(aFailRequest(), dead);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(abort({ status: "FAILED" })).rejects.toThrow(ControlPlaneUnavailableError);

    plane.clock.advance(61);
    await abort({ status: "FAILED" });
    expectOneEnd();
  });
});
