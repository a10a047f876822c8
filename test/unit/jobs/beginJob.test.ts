import {
  ControlPlaneUnavailableError,
  InstallationBusyError,
  InvalidInputError,
  JobAbortedError,
} from "@openemr-ops/core/errors";
import { jobEvents } from "@openemr-ops/events/jobEvent";
import { workflowKinds } from "@openemr-ops/events/jobKinds";
import { taskInput } from "@openemr-ops/events/taskInput";
import { beginJob } from "@openemr-ops/jobs/beginJob";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import samples from "../../../events/samples/taskInput.v1.json" with { type: "json" };
import {
  aBeginRequest,
  interferedPorts,
  type MemoryControlPlane,
  memoryControlPlane,
} from "../../support/memoryControlPlane.ts";

const jobId = "01K9ZV6T5W8QH3N2R4X7BCDEFG";

let plane: MemoryControlPlane;
beforeEach(() => {
  plane = memoryControlPlane();
});

const nothingTouched = () => {
  expect(plane.events).toEqual([]);
  expect(plane.ledger.records()).toEqual([]);
  expect(plane.locks.held()).toEqual([]);
};

/** Paths of the fields that are refused; a begin that goes through has none. */
const refusedAt = async (
  input: unknown,
  changes: Parameters<typeof aBeginRequest>[0] = {},
): Promise<readonly string[]> => {
  const failure: unknown = await beginJob(aBeginRequest({ input, ...changes }), plane).catch((error: unknown) => error);
  if (!(failure instanceof InvalidInputError)) return [];
  expect(failure.issues.every(({ message }) => message.length > 0)).toBe(true);
  return failure.issues.map(({ path }) => path);
};

describe("a job that begins", () => {
  it("needs no input, and leaves a lock, a record and an event", async () => {
    const begun = await beginJob(aBeginRequest(), plane);

    const job = { jobId, kind: "dump", installation: "clinic-a", dryRun: false };
    const input = { version: 1, kind: "dump", installation: "clinic-a", forceNewRepository: false, dryRun: false };
    expect(begun).toEqual({ job, input });
    expect(taskInput.parse(begun.input)).toEqual(input);
    const { id: execution, startedAt: requestedAt } = aBeginRequest().execution;
    expect(plane.ledger.records()).toEqual([
      {
        ...job,
        status: "running",
        requestedAt,
        startedAt: requestedAt,
        execution,
        input,
        steps: [{ name: "begun", by: "workflow", at: requestedAt }],
      },
    ]);
    expect(plane.locks.held()).toEqual([`clinic-a/dump-repository ${jobId}`]);
    expect(plane.events).toEqual([{ name: "JobStarted", detail: { version: 1, ...job, execution, at: requestedAt } }]);
    expect(jobEvents.JobStarted.safeParse(plane.events[0]?.detail).success).toBe(true);
  });

  it("holds its lock for 15 minutes, which its container renews", async () => {
    await beginJob(aBeginRequest(), plane);

    plane.clock.advance(899);
    expect(plane.locks.held()).toHaveLength(1);
    plane.clock.advance(1);
    expect(plane.locks.held()).toEqual([]);
  });

  it.each<[(typeof workflowKinds)[number], readonly string[], unknown]>([
    ["dump", [`clinic-a/dump-repository ${jobId}`], {}],
    ["drill", [`clinic-a/drill ${jobId}`], {}],
    ["restore", [`clinic-a/service ${jobId}`, `clinic-a/dump-repository ${jobId}`], { dump: "latest", inPlace: true }],
    ["restore", [`clinic-a/service ${jobId}`], { dump: "latest", intoDatabase: "restored", intoSites: "/srv/new" }],
    ["check", [`clinic-a/dump-repository ${jobId}`], {}],
    ["check", [`clinic-a/dump-repository ${jobId}`], { level: "read-data", share: "1/7" }],
    ["check", [`clinic-a/drill ${jobId}`], { level: "drill" }],
    ["check", [], { dryRun: true }],
    ["dump", [], { dryRun: true }],
    ["restore", [], { dump: "latest", inPlace: true, dryRun: true }],
  ])("a %s holds %j when it is given %j", async (kind, held, input) => {
    await beginJob(aBeginRequest({ kind, input }), plane);

    expect(plane.locks.held()).toEqual(held);
    expect(plane.events[0]).toMatchObject({
      name: "JobStarted",
      detail: { kind, dryRun: held.length === 0 },
    });
  });

  it("accepts that its input repeats what the workflow is for, and nothing else", async () => {
    expect(await refusedAt({ kind: "dump", installation: "clinic-a", version: 1 })).toEqual([]);
    plane = memoryControlPlane();
    expect(await refusedAt({ kind: "drill" })).toEqual(["kind"]);
    expect(await refusedAt({ kind: "retention" })).toEqual(["kind"]);
    expect(await refusedAt({ installation: "clinic-b" })).toEqual(["installation"]);
    expect(await refusedAt({ installation: null })).toEqual(["installation"]);
    nothingTouched();
  });

  it.each<[unknown, string, (typeof workflowKinds)[number]?]>([
    [null, ""],
    ["clinic-a", ""],
    [["clinic-a"], ""],
    [7, ""],
    [{ dryrun: true }, "dryrun"],
    [{ dryRun: "true" }, "dryRun"],
    [{ version: 2 }, "version"],
    [{ level: "objects" }, "level"],
    [JSON.parse('{ "__proto__": { "dryRun": true } }'), "__proto__"],
    [{ dump: "newest" }, "dump", "drill"],
    [{ level: "all" }, "level", "check"],
    [{}, "dump", "restore"],
  ])("%j is refused at %j", async (input, path, kind = "dump") => {
    expect(await refusedAt(input, { kind })).toEqual([path]);
    nothingTouched();
  });

  it.each(["clinic a", "dump.1", "Übung", "", "x".repeat(81)])("is refused under the name %j", async (name) => {
    expect(await refusedAt({}, { execution: { ...aBeginRequest().execution, name } })).toEqual(["execution.name"]);
    nothingTouched();
  });

  it("is refused when a container could not be told all of its input", async () => {
    const input = { dump: "latest", intoDatabase: "restored", intoSites: `/srv/${"x".repeat(5000)}` };

    expect(await refusedAt(input, { kind: "restore" })).toEqual([""]);
    nothingTouched();
  });

  it("never repeats a password that someone wrote into the input", async () => {
    const connection = { host: "db", name: "o", user: "o", password: "canary-4f1e" };
    const input = { dump: "latest", inPlace: true, connection };
    const failure: unknown = await beginJob(aBeginRequest({ kind: "restore", input }), plane).catch((e: unknown) => e);

    expect(failure).toBeInstanceOf(InvalidInputError);
    expect(String(failure)).toContain("connection.password");
    expect(String(failure)).not.toContain("canary");
    nothingTouched();
  });

  it("is refused while another job holds the lock, naming it, and leaves no trace", async () => {
    await plane.locks.acquire({
      installation: "clinic-a",
      resource: "dump-repository",
      owner: "other",
      leaseSeconds: 60,
    });

    await expect(beginJob(aBeginRequest(), plane)).rejects.toThrow(InstallationBusyError);
    await expect(beginJob(aBeginRequest(), plane)).rejects.toThrow(/other/);
    expect(plane.locks.held()).toEqual(["clinic-a/dump-repository other"]);
    expect(plane.ledger.records()).toEqual([]);
    expect(plane.events).toEqual([]);
  });

  it("runs beside a job of another installation, and beside one that needs another lock", async () => {
    await beginJob(aBeginRequest(), plane);
    await beginJob(aBeginRequest({ jobId: "two", installation: "clinic-b" }), plane);
    await beginJob(aBeginRequest({ jobId: "three", kind: "drill" }), plane);

    expect(plane.locks.held()).toHaveLength(3);
  });

  it.each<[string, object, boolean]>([
    ["in place", { inPlace: true }, false],
    ["beside the live system", { intoDatabase: "restored", intoSites: "/srv/restored" }, true],
  ])("restores %s, and a dump that comes meanwhile runs: %j gives %s", async (_, target, runs) => {
    await beginJob(aBeginRequest({ jobId: "restore", kind: "restore", input: { dump: "latest", ...target } }), plane);
    const dump = beginJob(aBeginRequest({ jobId: "dump" }), plane);

    if (runs) await expect(dump).resolves.toMatchObject({ job: { kind: "dump" } });
    else await expect(dump).rejects.toThrow(InstallationBusyError);
  });

  it("takes all of its locks or none", async () => {
    await beginJob(aBeginRequest({ jobId: "dump" }), plane);
    const input = { dump: "latest", inPlace: true };

    await expect(beginJob(aBeginRequest({ jobId: "restore", kind: "restore", input }), plane)).rejects.toThrow(/dump/);
    expect(plane.locks.held()).toEqual(["clinic-a/dump-repository dump"]);
  });

  it("is the same job when it begins twice: one lock, one record, one event", async () => {
    const first = await beginJob(aBeginRequest(), plane);
    plane.clock.advance(600);
    const second = await beginJob(aBeginRequest(), plane);

    expect(second).toEqual(first);
    expect(plane.ledger.records()).toHaveLength(1);
    expect(plane.events).toHaveLength(1);
    plane.clock.advance(899);
    expect(plane.locks.held()).toEqual([`clinic-a/dump-repository ${jobId}`]);
  });

  it("does not begin again once it has ended, and holds no lock then", async () => {
    await beginJob(aBeginRequest(), plane);
    await plane.ledger.end(
      { installation: "clinic-a", jobId },
      { status: "aborted", endedAt: plane.now().toISOString() },
    );
    await plane.locks.expireWithin({ installation: "clinic-a", resource: "dump-repository", owner: jobId }, 0);

    await expect(beginJob(aBeginRequest(), plane)).rejects.toThrow(JobAbortedError);
    expect(plane.locks.held()).toEqual([]);
    expect(plane.events).toHaveLength(1);
  });

  it("may have the name of another installation's job", async () => {
    await beginJob(aBeginRequest(), plane);
    await beginJob(aBeginRequest({ installation: "clinic-b" }), plane);

    expect(plane.ledger.records()).toMatchObject([
      { installation: "clinic-a", status: "running" },
      { installation: "clinic-b", status: "running" },
    ]);
    expect(plane.events.map(({ name }) => name)).toEqual(["JobStarted", "JobStarted"]);
  });

  it("is refused under the name of another workflow's job, which stays as it is", async () => {
    await beginJob(aBeginRequest(), plane);
    const before = plane.ledger.records();
    const other = { ...aBeginRequest().execution, id: "arn:aws:states:eu-central-1:123456789012:execution:other:x" };

    expect(await refusedAt({}, { kind: "check", execution: other })).toEqual(["execution.name"]);
    expect(plane.ledger.records()).toEqual(before);
    expect(plane.locks.held()).toEqual([`clinic-a/dump-repository ${jobId}`]);
  });

  it("is refused under a name that the same workflow had months ago", async () => {
    await beginJob(aBeginRequest(), plane);
    await plane.ledger.end(
      { installation: "clinic-a", jobId },
      { status: "succeeded", endedAt: plane.now().toISOString() },
    );
    const execution = { ...aBeginRequest().execution, startedAt: "2027-03-20T12:00:00.000Z" };

    expect(await refusedAt({}, { execution })).toEqual(["execution.name"]);
  });

  it("leaves no lock when anything behind it fails, and begins whole when it is repeated", async () => {
    const calls = ["create", "once", "publish", "note"];
    for (const failing of calls)
      for (const when of ["fail before", "fail after"] as const) {
        plane = memoryControlPlane();
        const failure = new ControlPlaneUnavailableError("the table does not answer");
        const ports = interferedPorts(
          plane,
          async (call) => (call === failing ? when : "pass"),
          () => failure,
        );

        await expect(beginJob(aBeginRequest(), ports)).rejects.toBe(failure);
        expect(plane.locks.held(), `${failing}, ${when}`).toEqual([]);

        await beginJob(aBeginRequest(), plane);
        expect(plane.locks.held()).toEqual([`clinic-a/dump-repository ${jobId}`]);
        expect(plane.ledger.records()).toMatchObject([{ jobId, status: "running" }]);
        // Nobody can know of an event whose publishing failed whether it went out, so then it goes out again.
        expect(plane.events.length).toBe(failing === "publish" && when === "fail after" ? 2 : 1);
      }
  });

  it("refuses any input with the fields' paths, or starts exactly what it says", async () => {
    const field = fc.constantFrom(
      ...[
        "version",
        "kind",
        "installation",
        "dryRun",
        "dump",
        "level",
        "share",
        "forceNewRepository",
        "inPlace",
        "copy",
      ],
      ...["intoDatabase", "intoSites", "platform", "upgrade", "connection", "constructor", "__proto__", ""],
    );
    const value = fc.oneof(
      fc.constantFrom<unknown>(true, false, 1, "latest", "dump", "clinic-a", "clinic-b", "objects", "1/7", "ecs"),
      fc.constantFrom<unknown>("restored", "/srv/restored", "01K9ZV6T5W8QH3N2R4X7BCDEFG", null),
      fc.jsonValue(),
    );
    const nearly = fc
      .tuple(fc.constantFrom<object>({}, ...samples), fc.array(fc.tuple(field, value), { maxLength: 3 }))
      .map(([sample, changes]): unknown =>
        JSON.parse(JSON.stringify(Object.assign(Object.create(null), sample, Object.fromEntries(changes)))),
      );
    let began = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 4, arbitrary: nearly }, fc.jsonValue(), fc.anything()),
        fc.constantFrom(...workflowKinds),
        async (input, kind) => {
          plane = memoryControlPlane();
          const outcome: unknown = await beginJob(aBeginRequest({ kind, input }), plane).catch(
            (error: unknown) => error,
          );
          if (outcome instanceof Error) {
            expect(outcome).toBeInstanceOf(InvalidInputError);
            const issues = outcome instanceof InvalidInputError ? outcome.issues : [];
            expect(issues).not.toEqual([]);
            for (const { path, message } of issues) {
              expect(message).not.toBe("");
              expect(path !== "" || typeof input !== "object" || input === null || Array.isArray(input)).toBe(true);
            }
            nothingTouched();
            return;
          }
          began += 1;
          const asked = (input ?? {}) as object;
          const [record] = plane.ledger.records();
          expect(record?.input).toMatchObject({ ...asked, kind, installation: "clinic-a" });
          const added = Object.entries(record?.input ?? {}).filter(([name]) => !Object.hasOwn(asked, name));
          for (const [name, given] of added)
            expect([
              ...["version 1", `kind ${kind}`, "installation clinic-a", "dryRun false", "forceNewRepository false"],
              ...["dump latest", "level objects", "inPlace false", "upgrade false", "copy 1", "phase all"],
            ]).toContain(`${name} ${given}`);
          expect(outcome).toMatchObject({
            job: { kind, installation: "clinic-a", dryRun: "dryRun" in asked && asked.dryRun === true },
            input: record?.input,
          });
        },
      ),
      { numRuns: 2000 },
    );
    expect(began).toBeGreaterThan(40); // of 2000; it is about 120
  });
});
