import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import type { Destination } from "@openemr-ops/core/destination";
import { listManifestIds } from "@openemr-ops/dumps/manifest";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import type { S3Server } from "@openemr-ops/local/servers/storeServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import type { Execution } from "@openemr-ops/local-cloud/executions";
import { type HospitalCloud, repositoryPassword, startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parsePage, rowsOf } from "../support/parsePage.ts";
import { quickenRepositoryKey } from "../support/quickRepositoryKey.ts";

const arn = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;
const bucket = "copies-of-hospitals";
const clinics = ["with-restic", "with-files"] as const;
type ClinicId = (typeof clinics)[number];

let directory: string;
let place: HospitalCloud;
let elsewhere: S3Server;

const clientOf = ({ url: endpoint, region, accessKeyId, secretAccessKey }: Omit<S3Server, "stop">) =>
  new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
const ownServer = () => {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = place.environment();
  return { url: place.cloud.endpoint, region: place.cloud.region, accessKeyId, secretAccessKey };
};
const keysOf = ({ accessKeyId, secretAccessKey }: S3Server) => JSON.stringify({ accessKeyId, secretAccessKey });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-copies-"));
  elsewhere = await startVersityGateway();
  await clientOf(elsewhere).send(new CreateBucketCommand({ Bucket: bucket }));
  place = await startHospitalCloud({
    directory: join(directory, "hospital"),
    installations: clinics,
    size: "tiny",
    cloud: { retryScale: 0.001 },
    dumps: (id) => ({
      retention: { keepLast: 2 },
      ...(id === "with-files" ? { format: "portable", password: undefined, sealKeyFile: arn("seal/key") } : {}),
      copies: [
        {
          destination: `s3://${bucket}/${id}`,
          endpoint: elsewhere.url,
          credentials: arn("elsewhere/writer"),
          retentionCredentials: arn("elsewhere/remover"),
          retention: { keepLast: 1 },
        },
        ...(id === "with-restic" ? [{ destination: `s3://${bucket}/${id}`, region: "us-east-1" }] : []),
      ],
    }),
  });
  for (const who of ["writer", "remover"]) await place.cloud.putSecret(`elsewhere/${who}`, keysOf(elsewhere));
  await place.cloud.putSecret("seal/key", "a seal of the tests that is long enough to serve");
  await fetch(`${place.cloud.moto}/${bucket}`, { method: "PUT" });
}, 600_000);
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await elsewhere?.stop();
  await rm(directory, { recursive: true, force: true });
});

const first = (id: ClinicId): Destination =>
  s3Destination({ bucket: "dumps-of-hospitals", prefix: id, client: clientOf(ownServer()) });
const copy = (id: ClinicId, number: number): Destination =>
  s3Destination({ bucket, prefix: id, client: clientOf(number === 1 ? elsewhere : ownServer()) });

const ended = async (arnOf: string): Promise<Execution> => {
  const execution = await place.cloud.waitForExecution(arnOf, 200_000);
  await place.cloud.idle();
  return execution;
};
const run = (kind: WorkflowKind, id: ClinicId, input: Readonly<Record<string, string | number>> = {}) =>
  ended(place.cloud.start(place.machine(kind, id), input));
const outcome = ({ status, error, cause }: Execution) => ({ status, error, cause });
const succeeded = { status: "SUCCEEDED", error: undefined, cause: undefined };
/** Jobs that copied, as the dump's own job started them. */
const copiesOf = ({ name }: Execution) =>
  place.cloud.executions().filter((each) => each.name.startsWith(`${name}-copy-`));
const messages = () => place.slack.seen.map(({ body }) => JSON.stringify(body)).join("\n");

describe.each(clinics)("the clinic %s", (id) => {
  const numbers = id === "with-restic" ? [1, 2] : [1];

  it("has its dump copied by jobs of their own, each confirmed at its copy and cleared by the copy's policy", async () => {
    expect(outcome(await run("dump", id))).toEqual(succeeded);
    if (id === "with-restic")
      for (const store of [first(id), copy(id, 1), copy(id, 2)]) await quickenRepositoryKey(store, repositoryPassword);
    const dump = await run("dump", id);
    expect(outcome(dump)).toEqual(succeeded);
    const dumps = await listManifestIds(first(id), id);
    expect(dumps).toHaveLength(2);

    const copies = copiesOf(dump);
    expect(copies.map(outcome)).toEqual(numbers.map(() => succeeded));
    for (const { output = "{}" } of copies) {
      const { result } = JSON.parse(output) as { result: Record<string, string> };
      expect(result).toMatchObject({ dumpId: dumps[0], confirmedAt: expect.any(String) });
    }
    expect(await listManifestIds(copy(id, 1), id)).toEqual(dumps.slice(0, 1));
    if (id === "with-restic") expect(await listManifestIds(copy(id, 2), id)).toEqual(dumps);
    expect(messages()).toContain(`Dump copy of ${id} succeeded`);
  }, 300_000);

  it("drills what is at the copy", async () => {
    for (const number of numbers) expect(outcome(await run("drill", id, { copy: number }))).toEqual(succeeded);
    expect(outcome(await run("check", id, { copy: 1, level: "read-data" }))).toEqual(succeeded);
  }, 200_000);
});

it("a report reads every store under its role, and the page names each copy", async () => {
  expect(outcome(await run("report", "with-restic"))).toEqual(succeeded);
  const key = `reports/with-restic/${new Date().toISOString().slice(0, 10)}.html`;
  const page = parsePage(await text((await first("with-restic").get(key)) as Readable));
  const dumpsAt = (store: number) => rowsOf(page.byId(`installation-1-${store}-dumps`)).map(({ dump }) => dump);
  for (const [store, at] of [first("with-restic"), copy("with-restic", 1), copy("with-restic", 2)].entries())
    expect(dumpsAt(store)).toEqual(await listManifestIds(at, "with-restic"));
}, 100_000);

it("a copy that fails is a failed job of its own: the dump stays good, and the other copy is made", async () => {
  await place.cloud.putSecret("elsewhere/writer", JSON.stringify({ accessKeyId: "no", secretAccessKey: "canary" }));
  const dump = await run("dump", "with-restic");
  await place.cloud.putSecret("elsewhere/writer", keysOf(elsewhere));

  expect(outcome(dump)).toEqual(succeeded);
  const ends = copiesOf(dump).map(({ name, status, error }) => [name.slice(-1), status, error]);
  expect(ends.sort()).toEqual([
    ["1", "FAILED", "DestinationAccessDeniedError"],
    ["2", "SUCCEEDED", undefined],
  ]);
  expect(messages()).toContain("Dump copy of with-restic failed");
  expect(messages()).not.toContain("Dump of with-restic failed");

  expect(outcome(await run("copy", "with-restic"))).toEqual(succeeded); // by hand: what is missing
  const [newest] = await listManifestIds(first("with-restic"), "with-restic");
  const [there, verified, ...others] = await listManifestIds(copy("with-restic", 1), "with-restic");
  expect({ there, others }).toEqual({ there: newest, others: [] });
  expect(verified).toBeDefined(); // the policy keeps one, and the newest that passed a check there
}, 300_000);

it.each([
  { what: "another manifest", change: { manifestDigest: "0".repeat(64) }, says: /is not the one that the task wrote/ },
  { what: "a dump that is not there", change: { dumpId: "01K9XV9QK3W8QH3N2R4X7BCDEF" }, says: /has no manifest/ },
  { what: "a copy that is none", change: { copy: "3" }, says: /named no copy/ },
])("a copy does not count when the task reports $what", async ({ change, says }) => {
  const { cloud } = place;
  const [dumpId = ""] = await listManifestIds(copy("with-files", 1), "with-files");
  const { url: endpoint, region, ...credentials } = ownServer();
  const machine = cloud
    .executions()
    .find(({ machine: { name } }) => name === place.machine("copy", "with-files"))?.machine;
  const states = machine?.definition.States as Readonly<Record<string, { Parameters?: { FunctionName?: string } }>>;
  const FunctionName = states["Confirm copy"]?.Parameters?.FunctionName;
  const job = { jobId: "j", kind: "copy", installation: "with-files", dryRun: false };
  const confirm = async (result: object) => {
    const Payload = JSON.stringify({ job, report: { figures: {}, result } });
    const invoke = new InvokeCommand({ FunctionName, Payload });
    const answer = await new LambdaClient({ endpoint, region, credentials }).send(invoke);
    return Buffer.from(answer.Payload ?? []).toString();
  };
  expect(await confirm({ copy: "1", dumpId })).toContain("confirmedAt");
  expect(await confirm({ copy: "1", dumpId, ...change })).toMatch(says);
});

it("restores from the copy when the first store is gone", async () => {
  const store = first("with-restic");
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  for (const key of keys) await store.delete(key);
  expect(await run("drill", "with-restic")).toMatchObject({ status: "FAILED" });

  expect(await run("report", "with-restic")).toMatchObject({ status: "FAILED", error: "DestinationMissingError" });

  const input = { dump: "latest", copy: 2, intoDatabase: "restored", intoSites: join(directory, "restored") };
  const restored = await run("restore", "with-restic", input);
  expect(outcome(restored)).toEqual(succeeded);
  expect(restored.output).toContain('"verdict":"passed"');
}, 200_000);

it("the role that copies writes at the copy, the one that reports reads; none was denied, and none deletes with it", async () => {
  const { cloud } = place;
  expect(cloud.deniedCalls()).toEqual([]);
  const spare = cloud
    .unusedGrants()
    .filter(({ role, action }) => /-(Copy|Report)-/.test(role) && /^(s3|secretsmanager):/.test(action))
    .filter(({ action }) => action !== "s3:GetBucketLocation") // only where a residency is configured
    .map(({ action, role }) => `${role}: ${action}`);
  expect(spare).toEqual([]);
});
