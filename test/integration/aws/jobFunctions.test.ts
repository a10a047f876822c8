import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateStateMachineCommand, ListExecutionsCommand, SFNClient } from "@aws-sdk/client-sfn";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { namesOf } from "@openemr-ops/core/names";
import { jobEvents } from "@openemr-ops/events/jobEvent";
import { stateMachineOf } from "@openemr-ops/events/jobKinds";
import { scheduledJobId } from "@openemr-ops/jobs/startJob";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { aStoredDump } from "../../support/aStoredDump.ts";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";
import { type AwsAnswer, startAwsStub } from "../../support/awsStub.ts";

let aws: AwsServer;
let stage: string;
let count = 0;
let queue: string;
let logged = "";

beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws[Symbol.asyncDispose]());
beforeEach(async () => {
  logged = "";
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      logged += String(chunk);
      return true;
    });
  stage = `functions${++count}`;
  vi.stubEnv("OPENEMR_OPS_STAGE", stage);
  vi.stubEnv("OPENEMR_OPS_INSTALLATIONS", "clinic-a");
  const { jobsTable, bus } = namesOf(stage);
  await createJobsTable(jobsTable);
  queue = await listenTo(bus);
  return () => vi.restoreAllMocks();
});

/** A bus, and a queue that hears all that is published on it. */
const listenTo = async (bus: string): Promise<string> => {
  const events = new EventBridgeClient();
  const queues = new SQSClient();
  await events.send(new CreateEventBusCommand({ Name: bus }));
  const { QueueUrl = "" } = await queues.send(new CreateQueueCommand({ QueueName: bus }));
  const { Attributes } = await queues.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
  const EventPattern = JSON.stringify({ source: ["openemr.ops"] });
  await events.send(new PutRuleCommand({ EventBusName: bus, Name: "all", EventPattern }));
  const Targets = [{ Id: "queue", Arn: Attributes?.QueueArn ?? "" }];
  await events.send(new PutTargetsCommand({ EventBusName: bus, Rule: "all", Targets }));
  return QueueUrl;
};

/** Names of the events that were published since the last call, each of them as its contract says. */
const heard = async (): Promise<readonly string[]> => {
  const queues = new SQSClient();
  const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }));
  for (const { ReceiptHandle } of Messages)
    await queues.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }));
  const events = Messages.map(({ Body = "" }) => JSON.parse(Body));
  return events.map(({ "detail-type": name, detail }) => {
    expect(
      Object.entries(jobEvents)
        .find(([known]) => known === name)?.[1]
        .safeParse(detail).error,
    ).toBeUndefined();
    return name;
  });
};

const context = { awsRequestId: "request-1", functionName: "job", getRemainingTimeInMillis: () => 60_000 };

/** A function as a cold start makes it. */
const coldStart = async (
  path:
    | "job/begin"
    | "job/confirm"
    | "job/finish"
    | "job/fail"
    | "job/executionEnded"
    | "job/taskStopped"
    | "schedule/start"
    | "schedule/findOverdue",
) => {
  vi.resetModules();
  const load = {
    "job/begin": () => import("@openemr-ops/functions/job/begin"),
    "job/confirm": () => import("@openemr-ops/functions/job/confirm"),
    "job/finish": () => import("@openemr-ops/functions/job/finish"),
    "job/fail": () => import("@openemr-ops/functions/job/fail"),
    "job/executionEnded": () => import("@openemr-ops/functions/job/executionEnded"),
    "job/taskStopped": () => import("@openemr-ops/functions/job/taskStopped"),
    "schedule/start": () => import("@openemr-ops/functions/schedule/start"),
    "schedule/findOverdue": () => import("@openemr-ops/functions/schedule/findOverdue"),
  };
  const { handler } = await load[path]();
  const call: (event: unknown, context: Context) => unknown = handler;
  return async (event: unknown): Promise<unknown> => call(event, context as unknown as Context);
};

const machineOf = (kind: "dump" | "drill") =>
  `arn:aws:states:us-east-1:123456789012:stateMachine:${stateMachineOf(stage, "clinic-a", kind)}`;

const callerOf = (jobId: string) => ({
  kind: "dump",
  installation: "clinic-a",
  execution: {
    id: `${machineOf("dump").replace("stateMachine", "execution")}:${jobId}`,
    name: jobId,
    startedAt: new Date().toISOString(),
  },
});

const ledger = () => dynamoLedger({ table: namesOf(stage).jobsTable });
const lockIsFree = async (): Promise<boolean> => {
  const locks = dynamoLocks({ table: namesOf(stage).jobsTable, now: () => new Date() });
  const request = { installation: "clinic-a", resource: "dump-repository", owner: "probe", leaseSeconds: 1 } as const;
  try {
    await locks.release(await locks.acquire(request));
    return true;
  } catch {
    return false;
  }
};

/** What EventBridge delivers of an execution. Source: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html. */
const statusChange = (jobId: string, changes: object) => ({
  version: "0",
  id: "315c1398-40ff-a850-213b-158f73e60175",
  "detail-type": "Step Functions Execution Status Change",
  source: "aws.states",
  account: "123456789012",
  time: "2026-11-20T12:00:00Z",
  region: "us-east-1",
  resources: [callerOf(jobId).execution.id],
  detail: {
    executionArn: callerOf(jobId).execution.id,
    stateMachineArn: machineOf("dump"),
    name: jobId,
    startDate: Date.now() - 60_000,
    stopDate: Date.now(),
    input: "{}",
    output: null,
    stateMachineVersionArn: null,
    redriveCount: 0,
    inputDetails: { included: true },
    outputDetails: null,
    error: null,
    cause: null,
    ...changes,
  },
});

describe("the functions of a workflow", () => {
  it("take a job from its begin to its end, each run twice", async () => {
    const [begin, finish] = [await coldStart("job/begin"), await coldStart("job/finish")];
    const begun = (await begin({ ...callerOf("one"), input: {} })) as { job: object };
    expect(await begin({ ...callerOf("one"), input: {} })).toEqual(begun);
    expect(await heard()).toEqual(["JobStarted"]);
    expect(await lockIsFree()).toBe(false);

    const reports = [{ figures: { rows: 12 }, result: { dumpId: "01K9ZV9QK3W8QH3N2R4X7BCDEF" } }];
    const finished = { jobId: "one", ...reports[0] };
    expect(await finish({ job: begun.job, reports })).toEqual(finished);
    expect(await finish({ job: begun.job, reports })).toEqual(finished);
    expect(await heard()).toEqual(["JobSucceeded"]);
    expect(await lockIsFree()).toBe(true);
    expect(await ledger().get({ installation: "clinic-a", jobId: "one" })).toMatchObject({
      status: "succeeded",
      ...reports[0],
    });
  });

  it("refuse a busy installation, and report the second job without touching the first", async () => {
    const [begin, fail] = [await coldStart("job/begin"), await coldStart("job/fail")];
    await begin({ ...callerOf("one"), input: {} });
    const refusal = (await begin({ ...callerOf("two"), input: {} }).catch((error: unknown) => error)) as Error;
    expect(refusal.name).toBe("InstallationBusyError");

    const failure = {
      Error: refusal.name,
      Cause: JSON.stringify({ errorType: refusal.name, errorMessage: refusal.message, trace: [] }),
    };
    const state = { input: {}, failure };
    expect(await fail({ ...callerOf("two"), failure, state })).toEqual({
      name: refusal.name,
      message: refusal.message,
    });
    expect((await heard()).toSorted()).toEqual(["JobFailed", "JobStarted"]);
    expect(await lockIsFree()).toBe(false);
    expect(await ledger().get({ installation: "clinic-a", jobId: "one" })).toMatchObject({ status: "running" });
    expect(await ledger().get({ installation: "clinic-a", jobId: "two" })).toMatchObject({
      status: "failed",
      error: { name: "InstallationBusyError" },
    });
  });

  it("refuse a name that no job can have, and report that", async () => {
    const [begin, fail, ended] = [
      await coldStart("job/begin"),
      await coldStart("job/fail"),
      await coldStart("job/executionEnded"),
    ];
    const refusal = (await begin({ ...callerOf("dump.1"), input: {} }).catch((error: unknown) => error)) as Error;
    expect(refusal).toMatchObject({ name: "InvalidInputError", message: expect.stringContaining("execution.name") });
    const failure = { Error: refusal.name, Cause: refusal.message };
    await fail({ ...callerOf("dump.1"), failure, state: { input: {} } });
    await ended(statusChange("dump.1", { status: "FAILED", error: refusal.name, cause: refusal.message }));

    expect(await heard()).toEqual(["JobFailed"]);
    expect(await ledger().list("clinic-a")).toMatchObject([{ jobId: "dump_1", status: "failed" }]);
  });

  it("refuse bad input by its fields, log no password in it, and begin nothing", async () => {
    const begin = await coldStart("job/begin");
    const input = {
      dump: "latest",
      inPlace: true,
      connection: { host: "db", name: "o", user: "o", password: "canary-4f1e" },
    };
    const refusal = begin({ ...callerOf("one"), kind: "restore", input });

    await expect(refusal).rejects.toMatchObject({ name: "InvalidInputError" });
    await expect(refusal).rejects.toThrow(/connection\.password/);
    expect(logged).toContain("task failed");
    expect(logged).not.toContain("canary");
    expect(await heard()).toEqual([]);
    expect(await ledger().list("clinic-a")).toEqual([]);
  });

  it("report an execution that a person stopped, once however often it is delivered", async () => {
    const [begin, ended] = [await coldStart("job/begin"), await coldStart("job/executionEnded")];
    await begin({ ...callerOf("one"), input: {} });
    await ended(statusChange("one", { status: "ABORTED" }));
    await ended(statusChange("one", { status: "ABORTED" }));

    expect((await heard()).toSorted()).toEqual(["JobFailed", "JobStarted"]);
    expect(await ledger().get({ installation: "clinic-a", jobId: "one" })).toMatchObject({
      status: "aborted",
      error: { name: "JobAbortedError" },
    });
    expect(await lockIsFree()).toBe(true);
  });

  it("confirm a dump at the destination alone", async () => {
    const dump = aStoredDump();
    const { dumpId } = dump.manifest;
    const client = new S3Client({ forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: "dumps" }));
    for (const [key, Body] of Object.entries(dump.objects))
      await client.send(new PutObjectCommand({ Bucket: "dumps", Key: `clinic-a/${key}`, Body }));
    const destination = { kind: "s3", bucket: "dumps", prefix: "clinic-a", region: "us-east-1", pathStyle: true };
    vi.stubEnv("OPENEMR_OPS_INSTALLATION", "clinic-a");
    vi.stubEnv("OPENEMR_OPS_FORMAT", "restic");
    vi.stubEnv("OPENEMR_OPS_DESTINATION", JSON.stringify(destination));
    const confirm = await coldStart("job/confirm");
    const job = { jobId: "one", kind: "dump", installation: "clinic-a", dryRun: false };
    const report = { figures: { rows: 12 }, result: { dumpId, destination: "s3://dumps/clinic-a" } };

    expect(await confirm({ job, report })).toEqual({
      figures: { rows: 12 },
      result: { ...report.result, confirmedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    await client.send(new PutObjectCommand({ Bucket: "dumps", Key: `clinic-a/${dump.sites}`, Body: "other bytes" }));
    await expect(confirm({ job, report })).rejects.toMatchObject({ name: "IntegrityError" });
  });
});

describe("the functions of a schedule", () => {
  it("start the job of a due time once", async () => {
    const { stateMachineArn: stateMachine = "" } = await new SFNClient().send(
      new CreateStateMachineCommand({
        name: stateMachineOf(stage, "clinic-a", "dump"),
        roleArn: "arn:aws:iam::123456789012:role/workflow",
        definition: JSON.stringify({ StartAt: "Wait", States: { Wait: { Type: "Wait", Seconds: 60, End: true } } }),
      }),
    );
    const start = await coldStart("schedule/start");
    const request = {
      kind: "dump",
      installation: "clinic-a",
      stateMachine,
      dueAt: "2026-11-20T02:30:00Z",
      input: {},
    } as const;

    const jobId = scheduledJobId(request);
    expect(await start(request)).toMatchObject({ jobId, started: true });
    expect(await start({ ...request, input: { dryRun: true } })).toMatchObject({ jobId, started: false });
    const { executions = [] } = await new SFNClient().send(
      new ListExecutionsCommand({ stateMachineArn: stateMachine }),
    );
    expect(executions.map(({ name }) => name)).toEqual([jobId]);
    await expect(start({ ...request, dueAt: "<aws.scheduler.scheduled-time>" })).rejects.toMatchObject({
      name: "InvalidInputError",
    });
  });

  it("tell once that nothing succeeded in time", async () => {
    const findOverdue = await coldStart("schedule/findOverdue");
    const schedule = {
      kind: "dump",
      cron: "30 2 * * *",
      timeZone: "UTC",
      deadlineMinutes: 60,
      since: "2020-01-01T00:00:00Z",
    };
    await findOverdue({ installation: "clinic-a", schedules: [schedule] });
    await findOverdue({ installation: "clinic-a", schedules: [schedule] });

    expect(await heard()).toEqual(["JobOverdue"]);
  });
});

describe("the function that receives stopped tasks", () => {
  /** As ECS tells it. Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html. */
  const taskChange = {
    version: "0",
    source: "aws.ecs",
    "detail-type": "ECS Task State Change",
    detail: {
      clusterArn: "arn:aws:ecs:us-east-1:123456789012:cluster/openemr",
      containers: [
        { name: "task", exitCode: 137, lastStatus: "STOPPED", reason: "OutOfMemoryError: Container killed" },
      ],
      desiredStatus: "STOPPED",
      lastStatus: "STOPPED",
      launchType: "FARGATE",
      overrides: {
        containerOverrides: [{ name: "task", environment: [{ name: "OPENEMR_OPS_TASK_TOKEN", value: "token-1" }] }],
      },
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
    },
  };

  const hear = async (answer: AwsAnswer) => {
    await using stub = await startAwsStub(() => answer);
    vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
    const taskStopped = await coldStart("job/taskStopped");
    const outcome = await taskStopped(taskChange).catch((error: unknown) => error);
    vi.stubEnv("AWS_ENDPOINT_URL", aws.url);
    return { outcome, calls: stub.calls };
  };

  it("fails the workflow of a task that stopped without reporting", async () => {
    const { outcome, calls } = await hear({ body: {} });

    expect(outcome).toBeUndefined();
    expect(calls).toEqual([
      {
        action: "SendTaskFailure",
        input: { taskToken: "token-1", error: "TaskStoppedError", cause: expect.stringContaining("OutOfMemoryError") },
      },
    ]);
    expect(logged).not.toContain("token-1");
  });

  it("has nothing to say where the task spoke for itself", async () => {
    expect((await hear({ error: "TaskTimedOut" })).outcome).toBeUndefined();
  });
});
