import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import type { JobLedger } from "@openemr-ops/core/jobs";
import type { LockStore } from "@openemr-ops/core/locks";
import { namesOf } from "@openemr-ops/core/names";
import { listManifestIds } from "@openemr-ops/dumps/manifest";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import { freePort } from "@openemr-ops/local/servers/freePort";
import { status as slackStatus } from "@openemr-ops/local/servers/slack";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import type { Execution } from "@openemr-ops/local-cloud/executions";
import {
  type HospitalCloud,
  hospitalStage,
  repositoryPassword,
  startHospitalCloud,
} from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aGate, type Gate } from "../support/gate.ts";
import { quickenRepositoryKey } from "../support/quickRepositoryKey.ts";
import { smallFileSystem } from "../support/smallFileSystem.ts";

/** Bytes of a connection to the database after which a dump is in the midst of its tables. */
const midDump = 100_000;

type Settings = Record<string, Record<string, unknown>>;

const clinic = "clinic-a";
let directory: string;
let place: HospitalCloud;
let gate: Gate;
let ledger: JobLedger;
let locks: LockStore;
let dumps: () => Promise<readonly string[]>;
let configure: (installation: Settings) => void = () => {};
let talk: Readonly<Record<string, string>> = {};
const lifts: (() => void)[] = [];

/** The container's configuration with the gate before the database, and with what a test changes. */
const configured = (text = ""): string => {
  const config = JSON.parse(text);
  Object.assign(config.installations[0].database, { port: gate.port });
  Object.assign(config.installations[0].dumps, { retention: { keepLast: 1000 } });
  configure(config.installations[0]);
  return JSON.stringify(config);
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-faults-"));
  place = await startHospitalCloud({
    directory,
    size: "tiny",
    cloud: {
      retryScale: 0.005,
      heartbeatScale: 0.01, // silent for six seconds, as good as ten minutes
      taskCommand: [process.execPath, join(repositoryRoot, "test/support/taskOrTalker.ts")],
    },
    taskEnvironment: (environment) => ({
      OPENEMR_OPS_CONFIG_JSON: configured(environment.OPENEMR_OPS_CONFIG_JSON),
      OPENEMR_OPS_HEARTBEAT_SECONDS: "1",
      ...talk,
    }),
  });
  gate = await aGate(place.server);
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = place.environment();
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const settings = { endpoint: place.cloud.endpoint, region: place.cloud.region, credentials };
  const table = {
    table: namesOf(hospitalStage).jobsTable,
    now: () => new Date(),
    client: new DynamoDBClient(settings),
  };
  ledger = dynamoLedger(table);
  locks = dynamoLocks(table);
  const client = new S3Client({ ...settings, endpoint: place.cloud.moto, forcePathStyle: true }); // past all faults
  const store = s3Destination({ bucket: "dumps-of-hospitals", prefix: clinic, client });
  dumps = () => listManifestIds(store, clinic);
  expect(await endOf(start("dump"))).toMatchObject({ status: "SUCCEEDED" });
  await quickenRepositoryKey(store, repositoryPassword);
});
afterEach(() => {
  for (const lift of lifts.splice(0)) lift();
  configure = () => {};
  talk = {};
  gate.open();
});
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await gate?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const start = (kind: WorkflowKind, input: object = {}): string =>
  place.cloud.start(place.machine(kind), input as never);

const endOf = async (arn: string): Promise<Execution> => {
  const execution = await place.cloud.waitForExecution(arn, 120_000);
  await place.cloud.idle();
  return execution;
};

const toldOf = (jobId: string) => ({
  events: place.cloud
    .events()
    .filter(({ source, detailType }) => source === "openemr.ops" && /^Job(Succeeded|Failed)$/.test(detailType))
    .filter(({ detail }) => (detail as { jobId?: string }).jobId === jobId)
    .map(({ detailType }) => detailType),
  answers: place.slack.seen.filter(({ body }) => "thread_ts" in body && JSON.stringify(body).includes(jobId)).length,
});

/** Nobody holds it now, or within the minute that a container may take to notice. */
const assertLockFree = async (resource: "drill" | "dump-repository"): Promise<void> => {
  const request = { installation: clinic, resource, owner: "a-later-job", leaseSeconds: 5 };
  const from = Date.now();
  for (;;) {
    const lock = await locks.acquire(request).catch((error: Error) => error);
    if (!(lock instanceof Error)) return locks.release(lock);
    expect(Date.now() - from, lock.message).toBeLessThan(60_000);
    await sleep(500);
  }
};

interface Expected {
  readonly status: Execution["status"];
  readonly error?: string | undefined;
  /** When the record says another name than the execution, or another status. */
  readonly record?: object;
}

/** Right end, right name, told once, lock free, and nothing listed that is not whole. */
const expectEnd = async (
  execution: Pick<Execution, "cause" | "error" | "name" | "status">,
  before: readonly string[],
  expected: Expected,
): Promise<void> => {
  const { status, error, name } = execution;
  expect({ status, error }, execution.cause).toEqual({ status: expected.status, error: expected.error });
  const done = status === "SUCCEEDED";
  expect(await ledger.get({ installation: clinic, jobId: name })).toMatchObject(
    expected.record ?? { status: done ? "succeeded" : "failed", ...(done ? {} : { error: { name: error } }) },
  );
  expect(toldOf(name)).toEqual({ events: [done ? "JobSucceeded" : "JobFailed"], answers: 1 });
  await assertLockFree("dump-repository");
  await assertLockFree("drill");
  const listed = await dumps();
  expect(listed.slice(listed.length - before.length)).toEqual(before);
  expect(place.cloud.tasks()).toEqual([]);
};

const failsWith = async (kind: WorkflowKind, error: string, input: object = {}): Promise<void> => {
  const before = await dumps();
  await expectEnd(await endOf(start(kind, input)), before, { status: "FAILED", error });
  expect(await dumps()).toEqual(before);
};

const s3 = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"];

describe("a dump", () => {
  it("whose container is killed under way is taken by the next attempt", async () => {
    const before = await dumps();
    const held = gate.holdAfter(midDump);
    const arn = start("dump");
    await held;
    gate.open();
    place.cloud.tasks()[0]?.kill("SIGKILL");

    await expectEnd(await endOf(arn), before, { status: "SUCCEEDED" });
    expect(await dumps()).toHaveLength(before.length + 1);
  });

  it("whose container is killed every time fails as TaskStoppedError", async () => {
    const before = await dumps();
    const arn = start("dump");
    const killer = setInterval(() => {
      for (const task of place.cloud.tasks()) task.kill("SIGKILL");
    }, 300);
    try {
      await expectEnd(await endOf(arn), before, { status: "FAILED", error: "TaskStoppedError" });
    } finally {
      clearInterval(killer);
    }
  });

  it("whose heartbeats are lost fails as TaskLostError, and its containers come to an end", async () => {
    const before = await dumps();
    lifts.push(place.cloud.faults.dropHeartbeats({ answer: "accepted" }));
    void gate.holdAfter(midDump);
    const arn = start("dump");
    await place.cloud.waitForExecution(arn, 120_000);
    for (const lift of lifts.splice(0)) lift();
    gate.open();

    await expectEnd(await endOf(arn), before, { status: "FAILED", error: "TaskLostError" });
    expect(await dumps()).toEqual(before);
  });

  it.each([
    { what: "throttles", code: "SlowDown", status: 503, error: "DestinationThrottledError" },
    { what: "refuses our credentials", code: "InvalidAccessKeyId", status: 403, error: "DestinationAccessDeniedError" },
    { what: "has a fault", code: "InternalError", status: 500, error: "DestinationUnavailableError" },
    { what: "is full", code: "XMinioStorageFull", status: 507, error: "DestinationFullError" },
  ])(
    "whose destination $what fails as $error",
    async ({ code, status, error }) => {
      for (const action of s3) lifts.push(place.cloud.faults.api(action, { code, status }));
      await failsWith("dump", error);
    },
    180_000,
  );

  it("whose destination does not answer fails as DestinationUnavailableError", async () => {
    const port = await freePort();
    configure = ({ dumps }) => Object.assign(dumps ?? {}, { endpoint: `http://127.0.0.1:${port}` });
    await failsWith("dump", "DestinationUnavailableError");
  });

  it("whose database goes away in its midst fails as DatabaseUnavailableError", async () => {
    gate.cutAfter(midDump);
    await failsWith("dump", "DatabaseUnavailableError");
  });

  it("whose container reports more than Step Functions takes fails as TaskStoppedError", async () => {
    talk = { TALK: "300000" };
    await failsWith("dump", "TaskStoppedError");
  });

  it("that a person stops is reported as aborted; its container ends and releases the locks", async () => {
    const before = await dumps();
    const held = gate.holdAfter(midDump);
    const arn = start("dump");
    await held;
    place.cloud.stopExecution(arn, "", "wrong day");
    gate.open();
    const execution = await endOf(arn);

    await expectEnd(execution, before, {
      status: "ABORTED",
      error: execution.error,
      record: { status: "aborted", error: { name: "JobAbortedError" } },
    });
  });

  it("that meets another one of the clinic fails at once, and names it", async () => {
    const before = await dumps();
    const held = gate.holdAfter(midDump);
    const first = start("dump");
    await held;
    const second = await place.cloud.waitForExecution(start("dump"), 60_000);
    expect(second).toMatchObject({ status: "FAILED", error: "InstallationBusyError" });
    expect(second.cause).toContain(place.cloud.execution(first)?.name);
    gate.open();

    await expectEnd(await endOf(first), before, { status: "SUCCEEDED" });
    expect(toldOf(second.name)).toEqual({ events: ["JobFailed"], answers: expect.any(Number) });
    expect(await dumps()).toHaveLength(before.length + 1);
  });

  it.each([
    { what: "has no room", fault: {} },
    {
      what: "may not",
      fault: { name: "ECS.AccessDeniedException", message: "not authorized to perform: ecs:RunTask" },
    },
  ])("that the container service does not start since it $what fails as TaskNotStartedError", async ({ fault }) => {
    lifts.push(place.cloud.faults.runTask(fault));
    await failsWith("dump", "TaskNotStartedError");
  });

  it("is there although Slack is not, and Slack gets what it missed afterwards", async () => {
    const before = await dumps();
    place.slack.failWith(...Array.from({ length: 10_000 }, () => slackStatus(429, { "retry-after": "3600" })));
    const run = start("dump");
    const execution = await place.cloud.waitForExecution(run, 60_000);
    const seen = place.slack.seen.length;
    place.slack.failWith();
    await endOf(run);

    expect(execution).toMatchObject({ status: "SUCCEEDED" });
    expect(await dumps()).toHaveLength(before.length + 1);
    // The job has ended, so its start is no news any more: its result is sent.
    expect(place.slack.seen.slice(seen).map(({ method }) => method)).toContain("chat.postMessage");
    await assertLockFree("dump-repository");
  });
});

describe("a function of the workflow", () => {
  it.each([
    { family: "retryable", name: "DestinationThrottledError", times: 2, status: "SUCCEEDED" },
    { family: "retryable for ever", name: "DestinationThrottledError", status: "FAILED" },
    { family: "fatal", name: "DestinationAccessDeniedError", status: "FAILED" },
    { family: "refused", name: "DumpNotFoundError", status: "FAILED" },
    { family: "damaged", name: "IntegrityError", status: "FAILED" },
    { family: "foreign", name: "TypeError", status: "FAILED", error: "UnexpectedError" },
  ] as const)(
    "that throws a $family error ($name) leads to $status",
    async ({ name, status, ...row }) => {
      const before = await dumps();
      const repetition = "times" in row ? { times: row.times } : {};
      lifts.push(place.cloud.faults.lambda("job/confirm", { name }, repetition));
      const error = "error" in row ? row.error : name;

      const execution = await endOf(start("dump"));
      await expectEnd(execution, before, status === "FAILED" ? { status, error } : { status });
    },
    120_000,
  );

  it("that cannot report a failure leaves that to the rule on ended executions", async () => {
    const before = await dumps();
    lifts.push(place.cloud.faults.lambda("job/confirm", { name: "IntegrityError" }));
    lifts.push(place.cloud.faults.lambda("job/fail", { name: "TypeError" }));

    await expectEnd(await endOf(start("dump")), before, { status: "FAILED", error: "IntegrityError" });
  });
});

it("a drill on a full disk fails as DiskFullError, and the dump stays", async () => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-full-"));
  const disk = await smallFileSystem(join(directory, "disk"), 1);
  try {
    await writeFile(join(disk.path, "all but full"), Buffer.alloc(960 * 1024));
    configure = ({ dumps }) => Object.assign(dumps ?? {}, { drill: { directory: join(disk.path, "drill") } });
    await failsWith("drill", "DiskFullError");
  } finally {
    await disk[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  }
});

it.each<[unknown, RegExp]>([
  [{ dryRun: "yes" }, /dryRun: expected true or false/],
  [{ installation: "clinic-b" }, /installation/],
  [{ dumps: 1 }, /dumps: unknown setting/],
  [[], /expected an object/],
  ["now", /expected an object/],
])("input %j starts no container and is refused by its field's name", async (input, says) => {
  const containers = place.cloud.allTasks().length;
  const execution = await endOf(start("dump", input as object));

  expect(execution).toMatchObject({ status: "FAILED", error: "InvalidInputError" });
  expect(execution.cause).toMatch(says);
  expect(place.cloud.allTasks()).toHaveLength(containers);
});
