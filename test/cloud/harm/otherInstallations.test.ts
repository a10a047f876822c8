import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, GetItemCommand, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import type { JobKey } from "@openemr-ops/core/jobs";
import { namesOf } from "@openemr-ops/core/names";
import { partitions } from "@openemr-ops/core/partitions";
import { overdueAt } from "@openemr-ops/jobs/findOverdue";
import { type LocalCloud, startLocalCloud } from "@openemr-ops/local-cloud/startLocalCloud";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

const names = namesOf("prod");
const { jobsTable: table, bus } = names;
/** Every minute: overdue as soon as there is no success. */
const schedule = {
  kind: "dump" as const,
  cron: "* * * * *",
  timeZone: "UTC",
  deadlineMinutes: 1,
  since: "2026-01-01T00:00:00Z",
};

let directory: string;
let cloud: LocalCloud;
let attacker: { readonly dynamo: DynamoDBClient; readonly events: EventBridgeClient };
/** The jobs that run now: another installation's, and the one whose container was broken into. */
let victim: JobKey;
let own: JobKey;

/** A container that does nothing, and whose keys whoever broke into it has. */
const idle = [process.execPath, "-e", "setTimeout(() => {}, 3_600_000)"];

const jobOf = (installation: string): JobKey => {
  const execution = cloud.start(names.stateMachine(installation, "DumpInstallation"));
  return { installation, jobId: execution.split(":").at(-1) ?? "" };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-neighbours-"));
  cloud = await startLocalCloud({ assembly: inject("synth").directory, directory, taskCommand: idle, containers: 2 });
  victim = jobOf("clinic-a");
  own = jobOf("clinic-b");
  while (cloud.tasks().length < 2) await sleep(50);
  const task = cloud.tasks().find(({ family }) => family.includes("clinic-b"));
  const answer = await fetch(task?.environment.AWS_CONTAINER_CREDENTIALS_FULL_URI ?? "");
  const keys: Readonly<Record<string, string>> = JSON.parse(await answer.text());
  const credentials = { accessKeyId: keys.AccessKeyId ?? "", secretAccessKey: keys.SecretAccessKey ?? "" };
  const settings = { endpoint: cloud.endpoint, region: cloud.region, credentials };
  attacker = { dynamo: new DynamoDBClient(settings), events: new EventBridgeClient(settings) };
});
afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const ledger = () => {
  const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = cloud.environment();
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const client = new DynamoDBClient({ endpoint: cloud.endpoint, region: cloud.region, credentials });
  return dynamoLedger({ table, client });
};

type Attributes = Readonly<Record<string, { readonly S: string } | { readonly BOOL: boolean }>>;

/** Writes these attributes into an item, which is made when there is none: all that `UpdateItem` can do. */
const write = (pk: string, sk: string, attributes: Attributes) => {
  const fields = Object.entries(attributes);
  return attacker.dynamo.send(
    new UpdateItemCommand({
      TableName: table,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: `SET ${fields.map((_, index) => `#f${index} = :v${index}`).join(", ")}`,
      ExpressionAttributeNames: Object.fromEntries(fields.map(([name], index) => [`#f${index}`, name])),
      ExpressionAttributeValues: Object.fromEntries(fields.map(([, value], index) => [`:v${index}`, value])),
    }),
  );
};

const successOf = (installation: string, now: Date): Attributes => ({
  jobId: { S: "faked" },
  kind: { S: "dump" },
  installation: { S: installation },
  status: { S: "succeeded" },
  dryRun: { BOOL: false },
  requestedAt: { S: now.toISOString() },
  endedAt: { S: now.toISOString() },
  listKey: { S: `${now.toISOString()}#faked` },
});

const publish = (installation: string, source: string, ...names: readonly string[]) =>
  attacker.events.send(
    new PutEventsCommand({
      Entries: names.map((DetailType) => ({
        EventBusName: bus,
        Source: source,
        DetailType,
        Detail: JSON.stringify({ version: 1, installation, kind: "dump", jobId: "faked", dryRun: false }),
      })),
    }),
  );

const isOverdue = async (installation: string, now: Date): Promise<boolean> =>
  (await overdueAt(ledger(), installation, schedule, now)) !== undefined;

const refused = { name: "AccessDeniedException" };

describe("whoever has the keys of clinic-b's container", () => {
  it("ends no job: neither clinic-a's nor its own", async () => {
    for (const job of [victim, own]) {
      const attack = write(partitions.records(job.installation), job.jobId, successOf(job.installation, new Date()));
      await expect(attack, job.installation).rejects.toMatchObject(refused);
      expect(await ledger().get(job)).toMatchObject({ status: "running" });
      expect((await ledger().get(job))?.endedAt).toBeUndefined();
    }
  });

  it.each(["clinic-a", "clinic-b"])("fakes no success that keeps %s's missing dump quiet", async (installation) => {
    const now = new Date();
    const everywhere = ["clinic-a", "clinic-b"].flatMap((id) => [
      ...[partitions.records(id), partitions.steps(id), partitions.locks(id), partitions.threads(id)],
      ...[partitions.once("started", id), partitions.once("ended", id), partitions.once("overdue", id)],
      ...["JOB#faked", id],
    ]);
    for (const pk of everywhere) await write(pk, "faked", successOf(installation, now)).catch(() => undefined);

    expect(await isOverdue(installation, now)).toBe(true);
    expect(await ledger().get({ installation, jobId: "faked" })).toBeUndefined();
  });

  it("publishes nothing in clinic-a's name, and no end of any job", async () => {
    for (const name of ["JobStarted", "JobProgressed", "JobSucceeded", "JobFailed", "JobOverdue"]) {
      await expect(publish("clinic-a", "openemr.ops", name), name).rejects.toMatchObject(refused);
      await expect(publish("clinic-a", "openemr.ops.clinic-a", name), name).rejects.toMatchObject(refused);
    }
    for (const name of ["JobStarted", "JobSucceeded", "JobFailed", "JobOverdue"])
      for (const names of [[name], ["JobProgressed", name]])
        await expect(publish("clinic-b", "openemr.ops.clinic-b", ...names), name).rejects.toMatchObject(refused);
    await publish("clinic-b", "openemr.ops.clinic-b", "JobProgressed");
  });

  it("reads no record and no list of clinic-a", async () => {
    const key = { pk: { S: partitions.records("clinic-a") }, sk: { S: victim.jobId } };
    const read = attacker.dynamo.send(new GetItemCommand({ TableName: table, Key: key }));
    await expect(read).rejects.toMatchObject(refused);
    const list = attacker.dynamo.send(
      new QueryCommand({
        TableName: table,
        IndexName: "byMoment",
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": key.pk },
      }),
    );
    await expect(list).rejects.toMatchObject(refused);
  });

  it("takes no lock of clinic-a and frees none", async () => {
    for (const sk of ["dump-repository", "service", "drill"])
      await expect(write(partitions.locks("clinic-a"), sk, { owner: { S: "me" } })).rejects.toMatchObject(refused);
  });
});
