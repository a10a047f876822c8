import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import { namesOf } from "@openemr-ops/core/names";
import { listManifestIds } from "@openemr-ops/dumps/manifest";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import { newRelease } from "@openemr-ops/local/servers/openEmrPages";
import type { Execution } from "@openemr-ops/local-cloud/executions";
import {
  type HospitalCloud,
  hospitalStage,
  repositoryPassword,
  startHospitalCloud,
} from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attributeOf, elementsIn, parsePage, rowsOf, textOf } from "../support/parsePage.ts";

const clinic = "clinic-a";
const names = namesOf(hospitalStage);

/** Grants that nothing here can use, with the reason. Every other grant of a role has to be used below. */
const unusable: readonly { readonly action: RegExp; readonly role?: RegExp; readonly why: string }[] = [
  { action: /^(logs|xray|ecr):/, why: "AWS itself writes logs and traces and fetches images under these roles" },
  { action: /^kms:/, why: "nothing is encrypted here; the tables' and queues' key is asked for kms:Decrypt alone" },
  { action: /^elasticfilesystem:ClientRootAccess$/, why: "what root may do on EFS is decided by EFS" },
  { action: /^s3:(AbortMultipartUpload|ListMultipartUploadParts)$/, why: "only of use after an upload broke off" },
  { action: /^s3:GetBucketLocation$/, why: "asked only where the configuration names no region" },
  { action: /^sqs:SendMessage$/, why: "only of use after a delivery failed for good" },
  { action: /^states:SendTaskFailure$/, role: /-Retent/, why: "clearing fails as dumps do, in the same words" },
  { action: /^s3:PutObject$/, role: /-DumpRo|-Restor/, why: "they may write everywhere; restic's locks are among it" },
  { action: /^s3:ListBucket$/, role: /-Confir/, why: "without it S3 says of an absent object that it is forbidden" },
  { action: /^dynamodb:GetItem$/, role: /-FindOverdue/, why: "asked only when somebody else is telling just now" },
  { action: /^dynamodb:Query$/, role: /-Restor/, why: "only a restore in place asks for jobs that went before" },
];

/** A report's link leads to AWS's console: its task finds this cloud by its environment, as if the bucket were at AWS. */
const withoutEndpoint = ({ OPENEMR_OPS_JOB: job = "", ...environment }: Readonly<Record<string, string>>) => {
  const config = JSON.parse(environment.OPENEMR_OPS_CONFIG_JSON ?? "{}");
  for (const { dumps } of job.includes('"report"') ? config.installations : []) delete dumps.endpoint;
  return { OPENEMR_OPS_CONFIG_JSON: JSON.stringify(config) };
};

describe("a deployed clinic", () => {
  let directory: string;
  let place: HospitalCloud;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-clinic-"));
    place = await startHospitalCloud({
      directory,
      size: "tiny",
      cloud: { retryScale: 0.001 },
      taskEnvironment: withoutEndpoint,
    });
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const client = () => {
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = place.environment();
    const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
    return { endpoint: place.cloud.endpoint, region: place.cloud.region, credentials };
  };
  const ledger = () =>
    dynamoLedger({ table: names.jobsTable, now: () => new Date(), client: new DynamoDBClient(client()) });
  const store = () => {
    const s3 = new S3Client({ ...client(), forcePathStyle: true });
    return s3Destination({ bucket: "dumps-of-hospitals", prefix: clinic, client: s3 });
  };
  const dumps = () => listManifestIds(store(), clinic);
  const ended = async (arn: string): Promise<Execution> => {
    const execution = await place.cloud.waitForExecution(arn, 120_000);
    await place.cloud.idle();
    return execution;
  };
  const run = (kind: WorkflowKind, input: Readonly<Record<string, string | boolean>> = {}) =>
    ended(place.cloud.start(place.machine(kind), input));
  /** What the execution ended with, in one look. */
  const outcome = ({ status, error, cause }: Execution) => ({ status, error, cause });
  const succeeded = { status: "SUCCEEDED", error: undefined, cause: undefined };
  const told = (from = 0) =>
    place.cloud
      .events()
      .slice(from)
      .filter(({ source }) => source === "openemr.ops")
      .map(({ detailType }) => detailType);

  it("is dumped by its schedule: recorded, reported, listed as complete", async () => {
    const { cloud, slack } = place;
    const due = new Date("2026-11-21T01:30:00Z");

    expect(await cloud.fireSchedule(`${names.scheduleGroup}/${clinic}-dump`, due)).toBe("succeeded");
    const execution = await ended(cloud.executions()[0]?.arn ?? "");
    expect(outcome(execution)).toEqual(succeeded);

    const record = await ledger().get({ installation: clinic, jobId: execution.name });
    expect(record).toMatchObject({ kind: "dump", installation: clinic, status: "succeeded", dryRun: false });
    expect(record?.figures?.rows).toBeGreaterThan(0);
    expect(await dumps()).toEqual([record?.result?.dumpId]);
    expect(told()).toEqual(["JobStarted", "JobSucceeded"]);
    expect(slack.seen.filter(({ body }) => "thread_ts" in body)).toHaveLength(1);
    expect(cloud.deadLetters()).toEqual([]);
  });

  it("is dumped once however often its schedule's message comes", async () => {
    const { cloud } = place;
    const before = cloud.executions().length;
    const fire = () => cloud.fireSchedule(`${names.scheduleGroup}/${clinic}-dump`, new Date("2026-11-22T01:30:00Z"));

    expect(await Promise.all([fire(), fire(), fire()])).toEqual(["succeeded", "succeeded", "succeeded"]);
    await cloud.idle();
    expect(cloud.executions()).toHaveLength(before + 1);
    expect(cloud.executions().map(outcome).at(-1)).toEqual(succeeded);
    expect(await dumps()).toHaveLength(2);
  });

  it("is reported once although each event comes twice", async () => {
    const { cloud, slack } = place;
    const methodsOf = async (work: () => Promise<Execution>) => {
      const from = slack.seen.length;
      expect(outcome(await work())).toEqual(succeeded);
      return slack.seen.slice(from).map(({ method, body }) => [method, "thread_ts" in body]);
    };
    const usual = await methodsOf(() => run("check"));
    const lift = cloud.faults.deliverTwice();
    const posts = (await methodsOf(() => run("check"))).filter(([method]) => method === "chat.postMessage");
    lift();

    expect(posts).toEqual(usual.filter(([method]) => method === "chat.postMessage"));
    expect(posts).toHaveLength(2);
  });

  it("is drilled, checked, and restored beside the live system", async () => {
    expect(outcome(await run("drill"))).toEqual(succeeded);
    expect(outcome(await run("check"))).toEqual(succeeded);
    const beside = { dump: "latest", intoDatabase: "restored", intoSites: join(directory, "restored") };
    expect(outcome(await run("restore", beside))).toEqual(succeeded);
  });

  it("is not replaced while its service runs, or while nobody knows", async () => {
    const inPlace = { dump: "latest", inPlace: true };
    const refused = (cause: RegExp) => ({
      status: "FAILED",
      error: "ServiceRunningError",
      cause: expect.stringMatching(cause),
    });
    expect(outcome(await run("restore", inPlace))).toEqual(refused(/runs 1 containers/));
    const lift = place.cloud.faults.api("ecs:DescribeServices", { code: "AccessDeniedException" });
    expect(outcome(await run("restore", inPlace))).toEqual(refused(/unknown.*ecs:DescribeServices/));
    lift();
  });

  it("is reported on by its schedule: a page beside its dumps, with the figures of the store and a link in Slack", async () => {
    const { cloud, slack } = place;
    const [complete, posts] = [await dumps(), slack.seen.length];

    expect(await cloud.fireSchedule(`${names.scheduleGroup}/${clinic}-report`, new Date())).toBe("succeeded");
    const execution = await ended(cloud.executions().at(-1)?.arn ?? "");
    expect(outcome(execution)).toEqual(succeeded);
    const record = await ledger().get({ installation: clinic, jobId: execution.name });
    const key = `reports/${clinic}/${record?.endedAt?.slice(0, 10)}.html`;
    expect(record).toMatchObject({
      kind: "report",
      status: "succeeded",
      figures: { dumps: complete.length },
      result: { page: `s3://dumps-of-hospitals/${clinic}/${key}` },
    });

    const stored = await text((await store().get(key)) ?? Readable.from([]));
    expect(Buffer.byteLength(stored)).toBe(record?.figures?.bytes);
    const page = parsePage(stored);
    expect(page.all("p").map(textOf).join()).toContain(`the control plane's, stage ${hospitalStage}`);
    const rows = rowsOf(page.byId("installation-1-0-dumps"));
    expect(rows.map(({ dump, rows: count, files }) => ({ dump, count, files }))).toEqual(
      await Promise.all(
        complete.map(async (dump) => {
          const manifest = JSON.parse(await text((await store().get(`manifests/${clinic}/${dump}.json`)) as Readable));
          return { dump, count: manifest.database.rows, files: manifest.sites.files };
        }),
      ),
    );
    expect(rowsOf(page.byId("installation-1-schedules"))).toHaveLength(5);
    const shown = page.all("ul").filter((list) => attributeOf(list, "class") === "attention");
    const items = shown.flatMap((list) => elementsIn(list).filter(({ tagName }) => tagName === "li")).map(textOf);
    expect((record?.figures?.failures ?? 0) + (record?.figures?.warnings ?? 0)).toBe(items.length);
    expect(items.join("\n")).toContain("ServiceRunningError");
    expect(items.join("\n")).not.toMatch(/could not be read|report/);

    const link = `https://us-east-1.console.aws.amazon.com/s3/object/dumps-of-hospitals?prefix=${clinic}/${key}`;
    const said = slack.seen.slice(posts).map(({ body }) => JSON.stringify(body));
    expect(said.filter((one) => one.includes(`<${link}|Open the page>`)).length).toBe(2); // in the thread, and at its top
  });

  it("is looked at by its schedule: recorded, and nobody is disturbed while all is well", async () => {
    const { cloud, openEmr, slack } = place;
    const before = { posts: slack.seen.length, looks: openEmr.seen.length };

    expect(await cloud.fireSchedule(`${names.scheduleGroup}/${clinic}-health`, new Date())).toBe("succeeded");
    const execution = await ended(cloud.executions().at(-1)?.arn ?? "");
    expect(outcome(execution)).toEqual(succeeded);
    const record = await ledger().get({ installation: clinic, jobId: execution.name });
    expect(record).toMatchObject({
      kind: "health",
      status: "succeeded",
      figures: { warnings: 0, unknown: 3, newestDumpHours: 0, verifiedDumpHours: 0 },
    });
    expect(openEmr.seen.slice(before.looks)).toEqual(["/meta/health/readyz"]);
    expect(slack.seen).toHaveLength(before.posts);
    expect(cloud.tasks()).toEqual([]);
  });

  it("is notified when OpenEMR does not work, with the next step", async () => {
    const { openEmr, slack } = place;
    openEmr.serve(newRelease({ database: false }));
    const from = { posts: slack.seen.length, events: place.cloud.events().length };
    const failed = await run("health");
    openEmr.serve(newRelease());

    expect(outcome(failed)).toEqual({
      status: "FAILED",
      error: "InstallationUnhealthyError",
      cause: "OpenEMR of clinic-a is not healthy: openemr: OpenEMR reports that these do not work: database",
    });
    expect(told(from.events)).toEqual(["JobStarted", "JobFailed"]);
    const posts = slack.seen.slice(from.posts).map(({ body }) => JSON.stringify(body));
    expect(posts).toHaveLength(1);
    expect(posts[0]).toMatch(/Health check of clinic-a failed.*Open OpenEMR in a browser.*run health --stage/);
  });

  it("is notified of what fails: by the workflow, by a container that was killed, by a person who stopped it", async () => {
    const { cloud } = place;
    cloud.faults.lambda("job/confirm", { name: "IntegrityError", message: "altered" }, { times: 1 });
    let from = cloud.events().length;
    expect(outcome(await run("dump"))).toEqual({ status: "FAILED", error: "IntegrityError", cause: "altered" });
    expect(told(from)).toEqual(["JobStarted", "JobFailed"]);

    const nowhere = {
      dump: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
      intoDatabase: "nothing",
      intoSites: join(directory, "nothing"),
    };
    expect(await run("drill", { dump: nowhere.dump })).toMatchObject({ error: "DumpNotFoundError" });
    expect(await run("restore", nowhere)).toMatchObject({ error: "DumpNotFoundError" });
    await cloud.putSecret(`${clinic}/dump`, "forgotten");
    expect(await run("dump")).toMatchObject({ error: "DatabaseAccessDeniedError" });
    await cloud.putSecret(`${clinic}/dump`, place.estate.dumpLogin.password);

    from = cloud.events().length;
    const aborted = cloud.start(place.machine("dump"));
    while (cloud.tasks().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    cloud.stopExecution(aborted, "Console", "stopped by a person");
    expect(await ended(aborted)).toMatchObject({ status: "ABORTED" });
    expect(told(from)).toEqual(["JobStarted", "JobFailed"]);
    expect(await ledger().get({ installation: clinic, jobId: aborted.split(":").at(-1) ?? "" })).toMatchObject({
      status: "aborted",
    });

    from = cloud.events().length;
    const killed = cloud.start(place.machine("dump"));
    while (cloud.tasks().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const task of cloud.tasks()) task.kill("SIGKILL");
    expect(outcome(await ended(killed))).toEqual(succeeded); // taken again: a stopped container is worth another try
    expect(told(from)).toEqual(["JobStarted", "JobSucceeded"]);
  });

  it("is notified of a schedule that started nothing", async () => {
    const { cloud } = place;
    const from = cloud.events().length;
    expect(await cloud.fireSchedule(`${names.scheduleGroup}/${clinic}-overdue`, new Date())).toBe("succeeded");
    const schedules = [
      { kind: "dump", cron: "0 * * * *", timeZone: "UTC", deadlineMinutes: 1, since: "2026-01-01T00:00:00Z" },
    ];
    const [sweep] = (await readdir(cloud.logs)).filter((name) => name.includes("FindOverdue"));
    await new LambdaClient(client()).send(
      new InvokeCommand({
        FunctionName: sweep?.replace(/\.log$/, "") ?? "",
        Payload: JSON.stringify({ installation: "clinic-without-dumps", schedules }),
      }),
    );
    await cloud.idle();
    expect(told(from)).toEqual(["JobOverdue"]);
  });

  it("is notified of a report that cannot be stored, for the bucket is gone", async () => {
    const { cloud, slack } = place;
    const posts = slack.seen.length;
    for await (const { key } of store().list("")) await store().delete(key);
    await fetch(`${cloud.moto}/dumps-of-hospitals`, { method: "DELETE" });
    await expect(dumps()).rejects.toThrow("dumps-of-hospitals");

    expect(await run("report")).toMatchObject({ status: "FAILED", error: "DestinationMissingError" });
    const said = slack.seen.slice(posts).map(({ body }) => JSON.stringify(body));
    const words = said.join("\n");
    expect(words).toMatch(/Report of clinic-a failed.*Find out what happened to the bucket.*run report --stage/);
    expect(words).not.toContain("Open the page");
  });

  it("shows no secret and no patient in logs, histories, events, messages and records", async () => {
    const { cloud, estate, server, slack } = place;
    const logs = (await readdir(cloud.logs)).map((name) => readFile(join(cloud.logs, name), "utf8"));
    const said = JSON.stringify([
      await Promise.all(logs),
      cloud.executions().map(({ history, input, output }) => ({ history, input, output })),
      cloud.events().filter(({ source }) => source.startsWith("openemr.ops")),
      slack.seen.map(({ body }) => body),
      await ledger().list(clinic),
    ]);

    const patients = await server.query(`SELECT email, phone_home FROM ${estate.database.name}.patient_data LIMIT 50`);
    const personal = patients.flatMap(({ email, phone_home: phone }) => [String(email), String(phone)]);
    const canaries = personal.filter((text) => text.length > 6);
    expect(canaries.length).toBeGreaterThan(5);
    for (const canary of [estate.dumpLogin.password, server.password, slack.token, repositoryPassword, ...canaries])
      expect(said).not.toContain(JSON.stringify(canary).slice(1, -1));
  });

  it("did all of it with the rights of its roles, and has none to spare", () => {
    const { cloud } = place;
    expect(cloud.deniedCalls()).toEqual([]);

    const spare = cloud
      .unusedGrants()
      .filter(({ action, role }) => !unusable.some((one) => one.action.test(action) && (one.role?.test(role) ?? true)))
      .map(({ action, role, resources }) => `${role}: ${action} on ${resources.join(", ")}`);
    expect(spare).toEqual([]);
  });
});
