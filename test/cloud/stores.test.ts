import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import type { Destination } from "@openemr-ops/core/destination";
import { namesOf } from "@openemr-ops/core/names";
import { listManifestIds } from "@openemr-ops/dumps/manifest";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import { gcsDestination } from "@openemr-ops/gcp/gcsDestination";
import { startFakeGcs } from "@openemr-ops/local/servers/fakeGcs";
import { startMoto } from "@openemr-ops/local/servers/moto";
import type { S3Server, StoreServer } from "@openemr-ops/local/servers/storeServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import type { Execution } from "@openemr-ops/local-cloud/executions";
import {
  type HospitalCloud,
  hospitalStage,
  repositoryPassword,
  startHospitalCloud,
} from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GoogleCloud, startGoogleCloud } from "../support/googleCloud.ts";
import { quickenRepositoryKey } from "../support/quickRepositoryKey.ts";

const names = namesOf(hospitalStage);
const bucket = "dumps-elsewhere";
const clinics = ["role-s3", "keys-versity", "keys-moto", "key-google", "role-google"] as const;
type ClinicId = (typeof clinics)[number];
const arn = (id: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${id}/store-AbCdEf`;

let directory: string;
let place: HospitalCloud;
let versity: S3Server;
let moto: S3Server;
let gcs: StoreServer;
let google: GoogleCloud;

const secrets: Partial<Record<ClinicId, unknown>> = {};
const makeBucket = async ({ url: endpoint, region, accessKeyId, secretAccessKey }: S3Server): Promise<unknown> => {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return credentials;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-stores-"));
  [versity, moto, gcs] = [await startVersityGateway(), await startMoto(), await startFakeGcs()];
  await fetch(`${gcs.url}/storage/v1/b?project=clinic`, { method: "POST", body: JSON.stringify({ name: bucket }) });
  google = await startGoogleCloud({
    directory: join(directory, "google"),
    url: gcs.url,
    keysOf: async (id) => {
      const found = await fetch(`${place.cloud.endpoint}/local/credentials/${id}`);
      if (!found.ok) return undefined;
      const keys = (await found.json()) as { readonly SecretAccessKey: string; readonly Token?: string };
      return { secretAccessKey: keys.SecretAccessKey, sessionToken: keys.Token };
    },
  });
  secrets["keys-versity"] = await makeBucket(versity);
  secrets["keys-moto"] = await makeBucket(moto);
  secrets["key-google"] = google.serviceAccount;
  secrets["role-google"] = google.federation({ impersonate: true });
  const stores: Readonly<Record<string, object>> = {
    "keys-versity": { destination: `s3://${bucket}/a`, endpoint: versity.url },
    "keys-moto": { destination: `s3://${bucket}/b`, endpoint: moto.url, format: "portable", password: undefined },
    "key-google": { destination: `gs://${bucket}/c`, region: undefined, pathStyle: undefined },
    "role-google": { destination: `gs://${bucket}/d`, region: undefined, pathStyle: undefined },
  };
  place = await startHospitalCloud({
    directory: join(directory, "hospital"),
    installations: clinics,
    size: "tiny",
    cloud: { retryScale: 0.001 },
    dumps: (id) => ({
      retention: { keepLast: 1 },
      ...stores[id],
      ...(stores[id] ? { credentials: arn(id) } : {}),
      ...(id === "keys-moto" ? { sealKeyFile: arn("seal") } : {}),
    }),
    taskEnvironment: () => google.environment,
    functionEnvironment: () => google.environment,
  });
  for (const [id, secret] of Object.entries(secrets))
    await place.cloud.putSecret(`${id}/store`, JSON.stringify(secret));
  await place.cloud.putSecret("seal/store", "a seal of the tests that is long enough to serve");
}, 600_000); // five installations are synthesised
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  for (const server of [google, versity, moto, gcs]) await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Looks at each store past the product: as its owner. */
const storeOf = (id: ClinicId): Destination => {
  const owned = ({ url: endpoint, region, accessKeyId, secretAccessKey }: S3Server) =>
    new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  const inBucket = (prefix: string) => gcsDestination({ bucket, prefix, apiEndpoint: gcs.url });
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = place.environment();
  const own = { url: place.cloud.endpoint, region: place.cloud.region, accessKeyId, secretAccessKey };
  const stores = {
    "role-s3": () =>
      s3Destination({
        bucket: "dumps-of-hospitals",
        prefix: "role-s3",
        client: owned({ ...own, stop: async () => {} }),
      }),
    "keys-versity": () => s3Destination({ bucket, prefix: "a", client: owned(versity) }),
    "keys-moto": () => s3Destination({ bucket, prefix: "b", client: owned(moto) }),
    "key-google": () => inBucket("c"),
    "role-google": () => inBucket("d"),
  };
  return stores[id]();
};
const dumpsOf = (id: ClinicId): Promise<readonly string[]> => listManifestIds(storeOf(id), id);
const ended = async (arnOf: string): Promise<Execution> => {
  const execution = await place.cloud.waitForExecution(arnOf, 160_000);
  await place.cloud.idle();
  return execution;
};
const run = (kind: WorkflowKind, id: ClinicId) => ended(place.cloud.start(place.machine(kind, id), {}));
const outcome = ({ status, error, cause }: Execution) => ({ status, error, cause });
const succeeded = { status: "SUCCEEDED", error: undefined, cause: undefined };

describe.each(clinics)("the clinic %s", (id) => {
  it("is dumped by its schedule, confirmed, its old dump is cleared, the new one drilled and looked at", async () => {
    const due = new Date("2026-11-21T01:30:00Z");
    expect(await place.cloud.fireSchedule(`${names.scheduleGroup}/${id}-dump`, due)).toBe("succeeded");
    expect(outcome(await ended(place.cloud.executions().at(-1)?.arn ?? ""))).toEqual(succeeded);
    const first = await dumpsOf(id);
    expect(first).toHaveLength(1);
    if (id !== "keys-moto") await quickenRepositoryKey(storeOf(id), repositoryPassword);

    expect(outcome(await run("dump", id))).toEqual(succeeded);
    const second = await dumpsOf(id);
    expect(second).toHaveLength(1);
    expect(second).not.toEqual(first);
    expect(outcome(await run("drill", id))).toEqual(succeeded);
    const health = await run("health", id);
    expect(outcome(health)).toEqual(succeeded);
    expect(JSON.stringify([health.output, health.history])).toMatch(/newestDumpHours\\*":0/); // it saw the new one
  });
});

it.each(["keys-versity", "role-google"] as const)(
  "%s is denied with a wrong secret, and no dump counts",
  async (id) => {
    const before = await dumpsOf(id);
    const wrong =
      id === "keys-versity"
        ? { accessKeyId: versity.accessKeyId, secretAccessKey: "canary-wrong-key" }
        : { ...google.federation(), audience: "//iam.googleapis.com/projects/2/of-somebody-else" };
    await place.cloud.putSecret(`${id}/store`, JSON.stringify(wrong));
    expect(await run("dump", id)).toMatchObject({ status: "FAILED", error: "DestinationAccessDeniedError" });
    await place.cloud.putSecret(`${id}/store`, JSON.stringify(secrets[id]));

    expect(await dumpsOf(id)).toEqual(before);
  },
);

it("no store's key is in logs, histories, events and messages, and no role was denied or has a right in S3 for such a store", async () => {
  const { cloud, slack } = place;
  const logs = (await readdir(cloud.logs)).map((name) => readFile(join(cloud.logs, name), "utf8"));
  const said = JSON.stringify([
    await Promise.all(logs),
    cloud.executions().map(({ history, input, output }) => ({ history, input, output })),
    cloud.events().filter(({ source }) => source.startsWith("openemr.ops")),
    slack.seen.map(({ body }) => body),
  ]);
  const [, middle = "none"] = /KEY-----\n(.{40})/.exec(google.serviceAccount.private_key ?? "") ?? [];
  for (const canary of [versity.secretAccessKey, "canary-wrong-key", middle, '"private_key"'])
    expect(said).not.toContain(canary);
  expect(cloud.deniedCalls()).toEqual([]);
  const inS3 = cloud.unusedGrants().filter(({ action, role }) => action.startsWith("s3:") && !role.includes("role-s3"));
  expect(inS3).toEqual([]);
});
