import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CreateEventBusCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { InstallationBusyError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { namesOf } from "@openemr-ops/core/names";
import { taskReport } from "@openemr-ops/events/workflowSteps";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";
import { type AwsAnswer, type AwsCall, startAwsStub } from "../../support/awsStub.ts";
import { configurationFor } from "../../support/dumpContext.ts";
import { aSilentServer } from "../../support/silentServer.ts";

const { jobsTable, bus } = namesOf("test");
const now = () => new Date();
const token = "canary-token-31d0";

let aws: AwsServer;
let clinic: Clinic;
beforeAll(async () => {
  [aws, clinic] = await Promise.all([startAws(), aClinic()]);
  await createJobsTable(jobsTable);
  await new EventBridgeClient().send(new CreateEventBusCommand({ Name: bus }));
});
afterAll(() => Promise.all([aws[Symbol.asyncDispose](), clinic.remove()]));

/** As the first step of a workflow does: a record, and the lock that the container goes on with. */
const begin = async () => {
  const record = aJobRecord({ jobId: ulid(now()) });
  await dynamoLedger({ table: jobsTable }).create(record);
  const lock = {
    installation: "clinic-a",
    resource: "dump-repository",
    owner: record.jobId,
    leaseSeconds: 900,
  } as const;
  return { jobId: record.jobId, lock: await dynamoLocks({ table: jobsTable, now }).acquire(lock) };
};

interface TaskOptions {
  readonly jobId: string;
  /** Plays Step Functions. */
  readonly answer?: (call: AwsCall) => AwsAnswer;
  readonly databasePort?: number;
  readonly whenStarted?: (stop: () => void) => Promise<unknown>;
}

/** Runs the container program as a process of its own, as ECS does. */
const runTask = async (
  job: object,
  { jobId, answer = () => ({ body: {} }), databasePort, whenStarted }: TaskOptions,
) => {
  await using stepFunctions = await startAwsStub(answer);
  const { config, environment } = configurationFor({
    schema: { ...clinic.schema, ...(databasePort === undefined ? {} : { port: databasePort }) },
    sitesPath: clinic.sitesPath,
    directory: clinic.directory,
  });
  const child = spawn(process.execPath, [join(repositoryRoot, "packages/task/src/main.ts")], {
    env: {
      PATH: process.env.PATH,
      ...aws.environment,
      AWS_ENDPOINT_URL_SFN: stepFunctions.url,
      ...environment,
      OPENEMR_OPS_CONFIG_JSON: JSON.stringify(config),
      OPENEMR_OPS_JOB: JSON.stringify(job),
      OPENEMR_OPS_JOB_ID: jobId,
      OPENEMR_OPS_JOB_KIND: "dump",
      OPENEMR_OPS_STAGE: "test",
      OPENEMR_OPS_TASK_TOKEN: token,
      OPENEMR_OPS_HEARTBEAT_SECONDS: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
    whenStarted?.(() => child.kill("SIGTERM")),
  ]);
  for (const secret of [token, ...Object.values(environment).filter((value) => value.startsWith("canary"))])
    expect(stdout + stderr).not.toContain(secret);
  const calls = [...stepFunctions.calls];
  return {
    exitCode,
    result: JSON.parse(stdout),
    calls,
    told: calls.filter(({ action }) => action !== "SendTaskHeartbeat"),
  };
};

const isHeld = async (): Promise<boolean> => {
  const locks = dynamoLocks({ table: jobsTable, now });
  try {
    const lock = { installation: "clinic-a", resource: "dump-repository", owner: "asker", leaseSeconds: 1 } as const;
    await locks.release(await locks.acquire(lock));
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(InstallationBusyError);
    return true;
  }
};

describe("the container program with a task token", () => {
  it("dumps a clinic, notes its steps, reports the dump, and leaves lock and record to the workflow", async () => {
    const { jobId, lock } = await begin();
    const { exitCode, result, calls, told } = await runTask({ kind: "dump" }, { jobId });

    expect(exitCode).toBe(0);
    expect(calls[0]).toEqual({ action: "SendTaskHeartbeat", input: { taskToken: token } });
    expect(told).toEqual([{ action: "SendTaskSuccess", input: { taskToken: token, output: JSON.stringify(result) } }]);
    expect(taskReport.parse(result)).toMatchObject({
      figures: { rows: expect.any(Number) },
      result: { dumpId: expect.stringMatching(/^[0-9A-Z]{26}$/), destination: `file://${clinic.directory}/repository` },
    });
    const record = await dynamoLedger({ table: jobsTable }).get({ installation: "clinic-a", jobId });
    expect(record?.status).toBe("running");
    expect(record?.steps?.map(({ name }) => name)).toContain("database");
    expect(await isHeld()).toBe(true);

    const retention = await runTask({ kind: "retention" }, { jobId });
    expect(retention.result).toEqual({ figures: { kept: 1, expired: 0, orphans: 0 }, result: {} });
    await dynamoLocks({ table: jobsTable, now }).release(lock);
    expect(await isHeld()).toBe(false);
  });

  it("stops within seconds when the workflow no longer waits, and frees the installation", async () => {
    const { jobId } = await begin();
    await using server = await aSilentServer();
    let answer: AwsAnswer = { body: {} };
    const { exitCode, result, told } = await runTask(
      { kind: "dump" },
      {
        jobId,
        answer: () => answer,
        databasePort: server.port,
        whenStarted: async () => {
          await server.connected;
          answer = { error: "TaskTimedOut" };
        },
      },
    );

    expect(exitCode).toBe(4);
    expect(result).toMatchObject({ error: { name: "JobAbortedError" } });
    expect(told).toEqual([]);
    expect(await isHeld()).toBe(false);
  });

  it("ends in order on SIGTERM, and tells the workflow that it was stopped", async () => {
    const { jobId, lock } = await begin();
    await using server = await aSilentServer();
    const { exitCode, told } = await runTask(
      { kind: "dump" },
      { jobId, databasePort: server.port, whenStarted: (stop) => server.connected.then(stop) },
    );

    expect(exitCode).toBe(4);
    expect(told).toMatchObject([{ action: "SendTaskFailure", input: { taskToken: token, error: "TaskStoppedError" } }]);
    expect(await isHeld()).toBe(true);
    await dynamoLocks({ table: jobsTable, now }).release(lock);
  });

  it("tells the workflow of a failure by its name", async () => {
    const { jobId, lock } = await begin();
    const { exitCode, told } = await runTask({ kind: "dump" }, { jobId, databasePort: 1 });

    expect(exitCode).toBe(4);
    expect(told).toMatchObject([{ action: "SendTaskFailure", input: { error: "DatabaseUnavailableError" } }]);
    await dynamoLocks({ table: jobsTable, now }).release(lock);
  });

  it("does not start work that another job's lock forbids", async () => {
    const { lock } = await begin();
    const { exitCode, told } = await runTask({ kind: "dump" }, { jobId: ulid(now()) });

    expect(exitCode).toBe(5);
    expect(told).toMatchObject([
      { input: { error: "InstallationBusyError", cause: expect.stringContaining(lock.owner) } },
    ]);
    await dynamoLocks({ table: jobsTable, now }).release(lock);
  });
});
