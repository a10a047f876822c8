import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { Storage } from "@google-cloud/storage";
import { exitCodeOf, ResidencyError } from "@openemr-ops/core/errors";
import { assertResidency, type Residency, type StoreLocation } from "@openemr-ops/core/residency";
import { startFakeGcs } from "@openemr-ops/local/servers/fakeGcs";
import { startMoto } from "@openemr-ops/local/servers/moto";
import type { S3Server, StoreServer } from "@openemr-ops/local/servers/storeServer";
import { openDestination } from "@openemr-ops/task/openDestination";
import { operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import type { WrittenInstallation } from "../support/configuration.ts";
import { configurationFor } from "../support/dumpContext.ts";
import { type GoogleFront, startGoogleFront } from "../support/googleFront.ts";
import { placeFor } from "../support/place.ts";

const bucket = "dumps.clinic-a.example"; // with dots, so that it is no part of the server's name
const trusted = getCACertificates("default");

let clinic: Clinic;
let aws: S3Server;
let google: StoreServer;
let front: GoogleFront;
let client: S3Client;

beforeAll(async () => {
  for (const name of Object.keys(process.env).filter((each) => /^AWS_|_PROXY$/i.test(each)))
    vi.stubEnv(name, undefined);
  clinic = await aClinic();
  aws = await startMoto();
  const { url: endpoint, accessKeyId, secretAccessKey } = aws;
  const credentials = { accessKeyId, secretAccessKey };
  client = new S3Client({ endpoint, region: "eu-central-1", forcePathStyle: true, credentials });
  const CreateBucketConfiguration = { LocationConstraint: "eu-central-1" } as const;
  await client.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration }));
  google = await startFakeGcs();
  await new Storage({ apiEndpoint: google.url, projectId: "clinic" }).createBucket(bucket, {
    location: "europe-west3",
  });
  // Programs that ask AWS itself are led to the server here.
  front = await startGoogleFront(join(clinic.directory, "front"), aws.url, {
    hosts: ["s3.eu-central-1.amazonaws.com", "s3.us-east-1.amazonaws.com"],
  });
  const environment = { ...front.environment, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  for (const [name, value] of Object.entries({ ...environment, STORAGE_EMULATOR_HOST: google.url }))
    vi.stubEnv(name, value);
  setDefaultCACertificates([...trusted, await readFile(front.environment.SSL_CERT_FILE ?? "", "utf8")]);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  vi.unstubAllEnvs();
  await front?.stop();
  await google?.stop();
  await aws?.stop();
  await clinic?.remove();
});

let places = 0;
const aPlace = async (dumps: Partial<WrittenInstallation["dumps"]>, residency: Residency): Promise<Place> => {
  const directory = join(clinic.directory, `place-${places++}`);
  await mkdir(join(directory, "drills"), { recursive: true });
  const { schema, sitesPath } = clinic;
  const written = configurationFor({
    ...{ schema, sitesPath, directory },
    dumps: { format: "portable", password: undefined, ...dumps },
    environment: { ...front.environment },
  });
  const [installation] = written.config.installations;
  const config = { ...written.config, installations: [{ ...installation, residency }] };
  return placeFor({ config, environment: { ...process.env, ...written.environment } }, directory);
};
const inS3 = async () => (await client.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount;
const inGoogle = async () => {
  let count = 0;
  for await (const _ of (await openDestination({ kind: "gcs", bucket, prefix: "" })).list("")) count += 1;
  return count;
};
const aDump = { version: 1, kind: "dump", dryRun: false, forceNewRepository: false } as const;

const stores = [
  {
    store: "a bucket of AWS",
    dumps: () => ({ destination: `s3://${bucket}/a`, region: "eu-central-1" }),
    allowed: { awsRegions: ["eu-west-1", "eu-central-1"] },
    forbidden: { awsRegions: ["eu-west-1"], endpoints: ["https://s3.eu-central-1.amazonaws.com"] },
    says: /s3:\/\/dumps\.clinic-a\.example\/a is in eu-central-1, which residency\.awsRegions does not allow/,
  },
  {
    store: "a bucket of AWS whose region the configuration gives wrongly",
    dumps: () => ({ destination: `s3://${bucket}/b`, region: "us-east-1" }),
    allowed: { awsRegions: ["eu-central-1"] },
    forbidden: { awsRegions: ["us-east-1"] },
    says: /is in eu-central-1/,
  },
  {
    store: "a server with the S3 API",
    dumps: () => ({ destination: `s3://${bucket}/c`, endpoint: aws.url, region: "eu-central-1" }),
    allowed: () => ({ endpoints: [`${aws.url}/`] }),
    forbidden: { awsRegions: ["eu-central-1"], endpoints: ["https://s3.example.org"] },
    says: /is in http:\/\/127\.0\.0\.1:\d+, which residency\.endpoints does not allow/,
  },
  {
    store: "a bucket of Google",
    dumps: () => ({ destination: `gs://${bucket}/d` }),
    allowed: { gcsLocations: ["us-central1"] }, // where that server says it is
    forbidden: { gcsLocations: ["europe-west1", "EU"], awsRegions: ["eu-central-1"] },
    says: /is in US-CENTRAL1, which residency\.gcsLocations does not allow/i,
  },
];

describe.each(stores)("dumps to $store", ({ dumps, allowed, forbidden, says }) => {
  it("are refused before the first byte where it may not be, and no trial writes there", async () => {
    const before = [await inS3(), await inGoogle()];
    const place = await aPlace(dumps(), forbidden);

    for (const dryRun of [true, false])
      for (const attempt of [operations.programs.dump[dryRun ? "plan" : "run"](place, { ...aDump, dryRun })]) {
        const refusal = await attempt.catch((error: unknown) => error);
        expect(refusal).toBeInstanceOf(ResidencyError);
        expect(exitCodeOf(refusal as ResidencyError)).toBe(3);
        expect((refusal as ResidencyError).message).toMatch(says);
      }
    expect((await operations.checkDestination(place)).map(({ ok, note }) => ({ ok, note }))).toEqual([
      { ok: false, note: expect.stringMatching(/^ResidencyError: /) },
    ]);
    expect([await inS3(), await inGoogle()]).toEqual(before);
    expect(await operations.listDumps(place)).toEqual([]); // what is there already can be read
  });

  it("are taken where it may be", async () => {
    const place = await aPlace(dumps(), typeof allowed === "function" ? allowed() : allowed);

    await operations.programs.dump.run(place, aDump);
    expect((await operations.listDumps(place)).map(({ complete }) => complete)).toEqual([true]);
  });
});

it("a directory of this machine is no store that residency speaks of", async () => {
  await operations.programs.dump.run(await aPlace({}, { awsRegions: ["eu-central-1"] }), aDump);
});

it.each<{ location: StoreLocation; residency: Residency; ok: boolean }>([
  { location: { kind: "gcs", location: "EU" }, residency: { gcsLocations: ["eu"] }, ok: true },
  { location: { kind: "gcs", location: "EU" }, residency: { gcsLocations: ["europe-west3"] }, ok: false },
  {
    location: { kind: "gcs", location: "EU", parts: ["EUROPE-WEST1", "EUROPE-WEST3"] },
    residency: { gcsLocations: ["europe-west1", "europe-west3"] },
    ok: true,
  },
  {
    location: { kind: "gcs", location: "EU", parts: ["EUROPE-WEST1", "EUROPE-WEST3"] },
    residency: { gcsLocations: ["europe-west3"] },
    ok: false,
  },
  { location: { kind: "aws", region: "us-east-1" }, residency: { gcsLocations: ["us-east-1"] }, ok: false },
  {
    location: { kind: "endpoint", server: "https://S3.example.org" },
    residency: { endpoints: ["https://s3.example.org"] },
    ok: true,
  },
])("$location may be used under $residency: $ok", ({ location, residency, ok }) => {
  const attempt = () => assertResidency("s3://dumps", location, residency);
  if (ok) expect(attempt).not.toThrow();
  else expect(attempt).toThrow(ResidencyError);
});
