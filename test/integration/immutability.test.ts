import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  type ObjectLockRetentionMode,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startFakeGcs } from "@openemr-ops/local/servers/fakeGcs";
import { startMoto } from "@openemr-ops/local/servers/moto";
import type { S3Server } from "@openemr-ops/local/servers/storeServer";
import { startVersityGateway, type VersityGateway } from "@openemr-ops/local/servers/versitygw";
import { operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import type { WrittenInstallation } from "../support/configuration.ts";
import { configurationFor, resticsHere } from "../support/dumpContext.ts";
import { placeFor } from "../support/place.ts";

const { programs } = operations;
const day = 24 * 3600 * 1000;

let clinic: Clinic;
let versity: VersityGateway;
let moto: S3Server;

beforeAll(async () => {
  for (const name of Object.keys(process.env).filter((each) => /^AWS_/.test(each))) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  clinic = await aClinic({ programs: false });
  [versity, moto] = [await startVersityGateway({ versions: true }), await startMoto()];
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const server of [versity, moto]) await server?.stop();
  await clinic?.remove();
});

const ownerOf = ({ url: endpoint, region, accessKeyId, secretAccessKey }: S3Server): S3Client =>
  new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });

const writing = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:PutObject"];
const seeing = ["s3:GetBucketObjectLockConfiguration"];

interface BucketShape {
  readonly lock?: { readonly Mode: ObjectLockRetentionMode; readonly Days: number };
  readonly versions?: boolean;
  /** Rights of the writer beyond those of dumps. */
  readonly more?: readonly string[];
  readonly rights?: readonly string[];
}

let buckets = 0;
/** A bucket and a user who writes there, as somebody would set both up. */
const aBucket = async ({ lock, versions = false, more = [], rights = writing }: BucketShape = {}) => {
  const Bucket = `locked-${buckets++}`;
  const owner = ownerOf(versity);
  await owner.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: lock !== undefined }));
  if (lock) {
    const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: lock } } as const;
    await owner.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
  } else if (versions)
    await owner.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const writer = await versity.addUser();
  const allow = (Action: readonly string[], where: string) => ({
    Effect: "Allow",
    Principal: { AWS: [writer.accessKeyId] },
    Action,
    Resource: `arn:aws:s3:::${Bucket}${where}`,
  });
  const Statement = [
    allow(["s3:ListBucket", ...(rights === writing ? seeing : [])], ""),
    allow([...rights, "s3:DeleteObject"], "/*"),
    ...(more.length > 0 ? [allow(more, "/*")] : []),
  ];
  await owner.send(
    new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
  );
  return { bucket: Bucket, keys: JSON.stringify(writer) };
};

let places = 0;
const aPlace = async (
  server: Pick<S3Server, "url" | "region">,
  { bucket, keys }: { readonly bucket: string; readonly keys: string },
  dumps: Partial<WrittenInstallation["dumps"]> & { readonly restic?: string },
): Promise<Place> => {
  const directory = join(clinic.directory, `place-${places++}`);
  await mkdir(join(directory, "drills"), { recursive: true });
  const { restic, ...rest } = dumps;
  const destination = { destination: `s3://${bucket}/clinic-a`, endpoint: server.url, region: server.region };
  const written = configurationFor({
    ...clinic,
    directory,
    ...(restic ? { restic } : {}),
    dumps: { ...destination, credentials: "env:STORE_KEYS", retention: { keepLast: 1 }, ...rest },
    environment: { STORE_KEYS: keys },
  });
  return placeFor(written, directory);
};

const portable = { format: "portable", password: undefined } as const;
const protectionOf = async (place: Place) => {
  const findings = await operations.checkDestination(place);
  const [found] = findings.filter(({ check }) => check.startsWith("what is written cannot be deleted"));
  return { found, others: findings.filter((finding) => finding !== found && !finding.ok) };
};

const compliance = { Mode: "COMPLIANCE", Days: 2 } as const;
const governance = { Mode: "GOVERNANCE", Days: 2 } as const;

describe("check destination of a bucket that has to protect what is written", () => {
  it.each(resticsHere())(
    "finds that it does, and that restic ($name) can remove its locks there all the same",
    async ({ restic }) => {
      const store = await aBucket({ lock: compliance });
      const place = await aPlace(versity, store, { restic, immutability: { days: 2, mode: "compliance" } });
      const { found, others } = await protectionOf(place);
      expect(others).toEqual([]);
      expect(found).toMatchObject({ ok: true, note: expect.stringMatching(/^a few bytes stay until 20/) });
    },
    60_000,
  );

  it("tries it under both credentials where old dumps are deleted with others", async () => {
    const store = await aBucket({ lock: governance });
    const place = await aPlace(versity, store, {
      ...portable,
      retentionCredentials: "env:STORE_KEYS",
      immutability: { days: 2 },
    });
    const findings = await operations.checkDestination(place);
    const tried = findings.filter(({ check }) => check.includes("cannot be deleted or overwritten for 2 days by"));
    expect(tried.map(({ check, ok }) => [check.split(" by ")[1], ok])).toEqual([
      ["who dumps", true],
      ["who deletes old dumps", true],
    ]);
  }, 30_000);

  it.each<{ what: string; shape: BucketShape; wanted: { days: number; mode?: "compliance" }; says: RegExp }>([
    { what: "keeps no versions", shape: {}, wanted: { days: 2 }, says: /is not protected from overwriting it/ },
    {
      what: "keeps versions that the writer may delete",
      shape: { versions: true, more: ["s3:DeleteObjectVersion"] },
      wanted: { days: 2 },
      says: /is not protected from deleting its version/,
    },
    {
      what: "keeps versions and no lock",
      shape: { versions: true },
      wanted: { days: 2 },
      says: /sets no time for which it keeps/,
    },
    { what: "locks for a shorter time", shape: { lock: compliance }, wanted: { days: 3 }, says: /until .* only: set/ },
    {
      what: "locks in the other mode",
      shape: { lock: governance },
      wanted: { days: 2, mode: "compliance" },
      says: /mode governance: set the mode compliance/,
    },
    {
      what: "lets the writer go around its lock",
      shape: { lock: governance, more: ["s3:BypassGovernanceRetention", "s3:DeleteObjectVersion"] },
      wanted: { days: 2 },
      says: /is not protected from going around its lock/,
    },
    {
      what: "lets the writer shorten its lock",
      shape: { lock: governance, more: ["s3:PutObjectRetention", "s3:BypassGovernanceRetention"] },
      wanted: { days: 2 },
      says: /is not protected from shortening its lock/,
    },
    {
      what: "shows no lock to the writer",
      shape: { lock: compliance, rights: writing.filter((right) => right !== "s3:GetObjectRetention") },
      wanted: { days: 2 },
      says: /cannot be seen \(s3:GetObjectRetention/,
    },
  ])(
    "refuses one that $what, by name",
    async ({ shape, wanted, says }) => {
      const place = await aPlace(versity, await aBucket(shape), { ...portable, immutability: wanted });
      const { found } = await protectionOf(place);
      expect(found).toMatchObject({ ok: false, note: expect.stringMatching(says) });
    },
    30_000,
  );

  it("refuses a bucket of Google that has no retention policy", async () => {
    const gcs = await startFakeGcs();
    try {
      await fetch(`${gcs.url}/storage/v1/b?project=clinic`, {
        method: "POST",
        body: JSON.stringify({ name: "plain" }),
      });
      vi.stubEnv("STORAGE_EMULATOR_HOST", gcs.url);
      const place = await aPlace(
        versity,
        { bucket: "plain", keys: "{}" },
        {
          ...{ ...portable, immutability: { days: 2 }, credentials: undefined },
          ...{ destination: "gs://plain/clinic-a", endpoint: undefined, region: undefined },
        },
      );
      const { found } = await protectionOf(place);
      expect(found).toMatchObject({ ok: false, note: expect.stringMatching(/is not protected from overwriting it/) });
    } finally {
      vi.stubEnv("STORAGE_EMULATOR_HOST", undefined);
      await gcs.stop();
    }
  }, 30_000);
});

describe("dumps in a locked bucket that takes no upload without a checksum", () => {
  it.each([
    { name: "restic", dumps: {} },
    { name: "portable", dumps: portable },
  ])(
    "are taken ($name)",
    async ({ name, dumps }) => {
      const Bucket = `checked-${name}`;
      const owner = ownerOf(moto);
      await owner.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
      const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention: compliance } } as const;
      await owner.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
      const keys = JSON.stringify({ accessKeyId: moto.accessKeyId, secretAccessKey: moto.secretAccessKey });
      const place = await aPlace(moto, { bucket: Bucket, keys }, { ...dumps, immutability: { days: 2 } });
      const aDump = { version: 1, kind: "dump", dryRun: false, forceNewRepository: false } as const;
      expect((await programs.dump.run(place, aDump)).result).toMatchObject({ complete: true });
    },
    60_000,
  );
});

describe.each([
  { name: "restic", dumps: {} },
  { name: "portable", dumps: portable },
])("retention in a locked bucket ($name)", ({ dumps }) => {
  it("keeps what the store keeps anyway, says until when, and then hides it without failing", async () => {
    const store = await aBucket({ lock: compliance });
    const place = await aPlace(versity, store, {
      ...dumps,
      ...(dumps === portable ? { sealKeyFile: "env:SEAL_KEY" } : {}),
      immutability: { days: 2 },
    });
    const aDump = { version: 1, kind: "dump", dryRun: false, forceNewRepository: false } as const;
    const { result: first } = await programs.dump.run(place, aDump);
    const { result: second } = await programs.dump.run(place, aDump);
    const clearing = { version: 1, kind: "retention", dryRun: false } as const;

    const { result: early } = await programs.retention.run(place, clearing);
    expect(early).toMatchObject({ expire: [], keep: [{ dumpId: second.dumpId }, { dumpId: first.dumpId }] });
    expect(early.keep[1]?.reasons.join()).toMatch(/^the store keeps it until 20/);
    expect(early.spaceTakenUntil).toBeUndefined();

    const later = { ...place, now: () => new Date(Date.now() + 3 * day) };
    const { result, report } = await programs.retention.run(later, clearing);
    expect(result).toMatchObject({ expire: [{ dumpId: first.dumpId }], keep: [{ dumpId: second.dumpId }] });
    const until = Date.parse(result.spaceTakenUntil ?? "");
    expect(Math.abs(until - (Date.now() + 5 * day))).toBeLessThan(60_000);
    expect(report.result).toEqual({ spaceTakenUntil: result.spaceTakenUntil });
    expect(await operations.listDumps(place)).toMatchObject([{ dumpId: second.dumpId, complete: true }]);
    const key = `clinic-a/manifests/clinic-a/${first.dumpId}.json`;
    const found = await ownerOf(versity).send(new ListObjectVersionsCommand({ Bucket: store.bucket, Prefix: key }));
    expect([found.Versions?.length, found.DeleteMarkers?.length]).toEqual([1, 1]);
  }, 60_000);
});
