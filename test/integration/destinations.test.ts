import { randomBytes } from "node:crypto";
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { Storage } from "@google-cloud/storage";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DestinationAccessDeniedError,
  DestinationMissingError,
  DestinationUnavailableError,
} from "@openemr-ops/core/errors";
import { checkDestination } from "@openemr-ops/dumps/checkDestination";
import { gcsDestination } from "@openemr-ops/gcp/gcsDestination";
import { startFakeGcs } from "@openemr-ops/local/servers/fakeGcs";
import { startMoto } from "@openemr-ops/local/servers/moto";
import type { S3Server, StoreServer } from "@openemr-ops/local/servers/storeServer";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { destinationContract, keysOf } from "../contract/destination.ts";
import { readAll, seededBytes, sha256, streamOf } from "../support/bytes.ts";

const bucket = "clinic-a-dumps";
let count = 0;
const freshPrefix = (): string => `run-${count++}-${randomBytes(3).toString("hex")}/deeper`;

const useCredentials = ({ accessKeyId, secretAccessKey }: Pick<S3Server, "accessKeyId" | "secretAccessKey">): void => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
};

/** Every call of the port, for failures that each of them has to name. */
const calls: readonly { readonly call: string; readonly make: (destination: Destination) => Promise<unknown> }[] = [
  { call: "put", make: (destination) => destination.put("a", Buffer.from("1")) },
  { call: "put of a stream", make: (destination) => destination.put("a", streamOf(seededBytes(1, 17_000_000))) },
  { call: "get", make: async (destination) => readAll((await destination.get("a")) ?? streamOf(Buffer.alloc(0))) },
  { call: "describe", make: (destination) => destination.describe("a") },
  { call: "list", make: (destination) => destination.list("")[Symbol.asyncIterator]().next() },
];

/** A client of a store that begins each listing at the first key, whatever it is asked. */
const clientWithoutStarts = (s3: S3Server): S3Client => {
  const client = new S3Client({ endpoint: s3.url, region: s3.region, forcePathStyle: true });
  const { signer } = client.config;
  client.config.signer = async (scheme) => {
    const own = await signer(scheme);
    return {
      sign: (request, options) => {
        delete request.query?.["start-after"];
        return own.sign(request, options);
      },
    };
  };
  return client;
};

/** A client that counts how many requests are under way at once. */
const countingClient = (s3: S3Server) => {
  const client = new S3Client({ endpoint: s3.url, region: s3.region, forcePathStyle: true });
  const { requestHandler } = client.config;
  const handle = requestHandler.handle.bind(requestHandler);
  let underWay = 0;
  let most = 0;
  requestHandler.handle = async (...asked: Parameters<typeof handle>) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setImmediate(resolve)); // all that are begun together have been counted
    try {
      return await handle(...asked);
    } finally {
      underWay -= 1;
    }
  };
  return { client, most: () => most };
};

describe.each([
  { server: "moto", start: startMoto, checksSignatures: false },
  { server: "versitygw", start: startVersityGateway, checksSignatures: true },
])("a bucket of $server", ({ server, start, checksSignatures }) => {
  let s3: S3Server;
  const open = (prefix: string, changes: Partial<Parameters<typeof s3Destination>[0]> = {}): Destination =>
    s3Destination({ bucket, prefix, endpoint: s3.url, region: s3.region, pathStyle: true, ...changes });

  beforeAll(async () => {
    s3 = await start();
    useCredentials(s3);
    const client = new S3Client({ endpoint: s3.url, region: s3.region, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  afterAll(async () => {
    await s3.stop();
    vi.unstubAllEnvs();
  });

  destinationContract(server, async () => {
    const prefix = freshPrefix();
    return { destination: open(prefix), neighbour: open(`${prefix}2`) };
  });

  it("lists all pages when the store gives few objects at once", async () => {
    const destination = open(freshPrefix(), { pageSize: 3 });
    const keys = Array.from({ length: 10 }, (_, index) => `dir ${index}/a`);
    for (const key of keys) await destination.put(key, Buffer.from(key));

    const listed: string[] = [];
    for await (const { key } of destination.list("dir")) listed.push(key);
    expect(listed).toEqual(keys);
  });

  it("asks for several pages of a listing at once where keys of them are known", async () => {
    const prefix = freshPrefix();
    const keys = Array.from({ length: 40 }, (_, index) => `many/${String(index).padStart(3, "0")}`);
    await Promise.all(keys.map((key) => open(prefix).put(key, Buffer.from(key))));
    const { client, most } = countingClient(s3);
    const destination = open(prefix, { pageSize: 5, client });
    const marks = ["many/004", "many/009", "many/013", "many/020", "many/034"];

    expect(await keysOf(destination, "many/")).toEqual(keys);
    expect(most()).toBeLessThanOrEqual(2); // the next page, while this one is read
    expect(await keysOf(destination, "many/", marks)).toEqual(keys);
    expect(most()).toBeGreaterThanOrEqual(4);
  });

  it("lists each object once from a store that begins before the key that was asked for", async () => {
    const prefix = freshPrefix();
    const keys = Array.from({ length: 12 }, (_, index) => `many/${String(index).padStart(3, "0")}`);
    await Promise.all(keys.map((key) => open(prefix).put(key, Buffer.from(key))));
    const destination = open(prefix, { pageSize: 5, client: clientWithoutStarts(s3) });

    expect(await keysOf(destination, "many/", ["many/002", "many/006", "many/010"])).toEqual(keys);
  });

  it("passes the check of a destination, which leaves nothing behind", async () => {
    const destination = open(freshPrefix());
    const findings = await checkDestination(destination, { now: () => new Date() });

    expect(findings.map(({ check, ok, note }) => ({ check, ok, note }))).toEqual(
      findings.map(({ check }) => ({ check, ok: true, note: "" })),
    );
    expect(await keysOf(destination)).toEqual([]);
  });

  it("works at the bucket's root", async () => {
    const destination = open("");
    await destination.put("at-the-root", Buffer.from("1"));

    expect(await destination.describe("at-the-root")).toMatchObject({ key: "at-the-root", byteLength: 1 });
    expect(await keysOf(destination, "at-the")).toEqual(["at-the-root"]);
    await destination.delete("at-the-root");
  });

  it("leaves no unfinished upload when a stream breaks off", async () => {
    const prefix = freshPrefix();
    const broken = streamOf(seededBytes(2, 40_000_000), new Error("broken"));
    await expect(open(prefix).put("a", broken)).rejects.toThrow("broken");

    const client = new S3Client({ endpoint: s3.url, region: s3.region, forcePathStyle: true });
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
    expect(Uploads).toEqual([]);
  });

  it.each(calls)("says that the bucket is missing on $call", async ({ make }) => {
    await expect(make(open("x", { bucket: "no-such-bucket" }))).rejects.toThrow(DestinationMissingError);
  });

  if (checksSignatures) {
    it.each(calls)("says that access is denied on $call with a wrong secret", async ({ make }) => {
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "not-the-secret");
      const destination = open("x");
      await expect(make(destination)).rejects.toThrow(DestinationAccessDeniedError);
      await expect(make(destination)).rejects.not.toThrow(/not-the-secret/);
      useCredentials(s3);
    });

    it("says that access is denied to an unknown user", async () => {
      vi.stubEnv("AWS_ACCESS_KEY_ID", "nobody");
      await expect(open("x").put("a", Buffer.from("1"))).rejects.toThrow(DestinationAccessDeniedError);
      useCredentials(s3);
    });
  }
});

describe("a bucket of fake-gcs-server", () => {
  let gcs: StoreServer;
  const open = (prefix: string, changes: Partial<Parameters<typeof gcsDestination>[0]> = {}): Destination =>
    gcsDestination({ bucket, prefix, apiEndpoint: gcs.url, ...changes });

  beforeAll(async () => {
    gcs = await startFakeGcs();
    await new Storage({ apiEndpoint: gcs.url, projectId: "clinic" }).createBucket(bucket);
  });
  afterAll(() => gcs.stop());

  destinationContract("fake-gcs-server", async () => {
    const prefix = freshPrefix();
    return { destination: open(prefix), neighbour: open(`${prefix}2`) };
  });

  it("lists all pages when the store gives few objects at once", async () => {
    const destination = open(freshPrefix(), { pageSize: 3 });
    const keys = Array.from({ length: 10 }, (_, index) => `dir ${index}/a`);
    for (const key of keys) await destination.put(key, Buffer.from(key));

    const listed: string[] = [];
    for await (const { key } of destination.list("dir")) listed.push(key);
    expect(listed).toEqual(keys);
  });

  it("passes the check of a destination, which leaves nothing behind", async () => {
    const destination = open(freshPrefix());
    const findings = await checkDestination(destination, { now: () => new Date() });

    expect(findings.map(({ check, ok, note }) => ({ check, ok, note }))).toEqual(
      findings.map(({ check }) => ({ check, ok: true, note: "" })),
    );
    expect(await keysOf(destination)).toEqual([]);
  });

  it("gives packed files back packed", async () => {
    const destination = open(freshPrefix());
    const bytes = seededBytes(3, 10_000);
    await destination.put("database.sql.gz", bytes);

    expect(sha256(await readAll((await destination.get("database.sql.gz")) ?? streamOf(Buffer.alloc(0))))).toBe(
      sha256(bytes),
    );
  });

  it.each(calls)("says that the bucket is missing on $call", async ({ make }) => {
    await expect(make(open("x", { bucket: "no-such-bucket" }))).rejects.toThrow(DestinationMissingError);
  });
});

describe.each([
  {
    store: "S3",
    open: (url: string) => s3Destination({ bucket, prefix: "x", endpoint: url, region: "us-east-1" }),
  },
  {
    store: "Google Cloud Storage",
    open: (url: string) => {
      const storage = new Storage({ apiEndpoint: url, projectId: "clinic", retryOptions: { autoRetry: false } });
      return gcsDestination({ bucket, prefix: "x", storage });
    },
  },
])("$store where nobody listens", ({ open }) => {
  it.each(calls)("is unavailable on $call", async ({ make }) => {
    useCredentials({ accessKeyId: "local", secretAccessKey: "local-only" });
    await expect(make(open("http://127.0.0.1:9"))).rejects.toThrow(DestinationUnavailableError);
    vi.unstubAllEnvs();
  });
});
