import type { ServerResponse } from "node:http";
import { S3Client } from "@aws-sdk/client-s3";
import { Storage } from "@google-cloud/storage";
import { s3Destination } from "@openemr-ops/aws/s3Destination";
import type { Destination } from "@openemr-ops/core/destination";
import { gcsDestination } from "@openemr-ops/gcp/gcsDestination";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keysOf } from "../contract/destination.ts";
import { readAll, seededBytes, streamOf } from "../support/bytes.ts";
import { type FaultyServer, startFaultyServer } from "../support/faultyServer.ts";

const bucket = "clinic-a-dumps";
const canary = "canary-secret-key";
beforeEach(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", canary);
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const openS3 = (url: string): Destination => s3Destination({ bucket, prefix: "x", endpoint: url, region: "us-east-1" });
/** As above, but tries once. */
const openS3Once = (url: string): Destination =>
  s3Destination({
    bucket,
    prefix: "x",
    client: new S3Client({ endpoint: url, region: "us-east-1", forcePathStyle: true, maxAttempts: 1 }),
  });
const openGcs = (url: string): Destination =>
  gcsDestination({
    bucket,
    prefix: "x",
    storage: new Storage({ apiEndpoint: url, projectId: "clinic", retryOptions: { autoRetry: false } }),
  });

const s3Answer = (status: number, code: string) => (response: ServerResponse) => {
  response.writeHead(status, { "content-type": "application/xml" });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} ${canary}</Message></Error>`);
};
const gcsAnswer = (status: number, reason: string) => (response: ServerResponse) => {
  response.writeHead(status, { "content-type": "application/json" });
  const message = `${reason} ${canary}`;
  response.end(JSON.stringify({ error: { code: status, message, errors: [{ reason, message, domain: "global" }] } }));
};

const withServer = async <T>(
  answer: (response: ServerResponse) => void,
  work: (server: FaultyServer) => Promise<T>,
) => {
  const server = await startFaultyServer((_request, response) => answer(response));
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
};

const calls: readonly { readonly call: string; readonly make: (destination: Destination) => Promise<unknown> }[] = [
  { call: "put", make: (destination) => destination.put("a", Buffer.from("1")) },
  { call: "put of a stream", make: (destination) => destination.put("a", streamOf(seededBytes(1, 100_000))) },
  { call: "get", make: async (destination) => readAll((await destination.get("a")) ?? streamOf(Buffer.alloc(0))) },
  { call: "list", make: (destination) => keysOf(destination) },
  { call: "delete", make: (destination) => destination.delete("a") },
];

describe("a store that fails", () => {
  it.each([
    { store: "S3", answer: s3Answer(503, "SlowDown"), name: "DestinationThrottledError", open: openS3Once },
    { store: "S3", answer: s3Answer(429, "TooManyRequests"), name: "DestinationThrottledError", open: openS3Once },
    { store: "S3", answer: s3Answer(500, "InternalError"), name: "DestinationUnavailableError", open: openS3Once },
    { store: "S3", answer: s3Answer(403, "AccessDenied"), name: "DestinationAccessDeniedError", open: openS3Once },
    {
      store: "S3",
      answer: s3Answer(403, "SignatureDoesNotMatch"),
      name: "DestinationAccessDeniedError",
      open: openS3Once,
    },
    {
      store: "S3",
      answer: s3Answer(403, "RequestTimeTooSkewed"),
      name: "DestinationAccessDeniedError",
      open: openS3Once,
    },
    { store: "S3", answer: s3Answer(400, "ExpiredToken"), name: "DestinationAccessDeniedError", open: openS3Once },
    {
      store: "S3",
      answer: s3Answer(400, "KMS.DisabledException"),
      name: "DestinationAccessDeniedError",
      open: openS3Once,
    },
    {
      store: "S3",
      answer: s3Answer(400, "KMS.NotFoundException"),
      name: "DestinationAccessDeniedError",
      open: openS3Once,
    },
    {
      store: "S3",
      answer: s3Answer(400, "KMS.ThrottlingException"),
      name: "DestinationThrottledError",
      open: openS3Once,
    },
    { store: "S3", answer: s3Answer(404, "NoSuchBucket"), name: "DestinationMissingError", open: openS3Once },
    { store: "S3", answer: s3Answer(301, "PermanentRedirect"), name: "DestinationMissingError", open: openS3Once },
    { store: "S3", answer: s3Answer(403, "QuotaExceeded"), name: "DestinationFullError", open: openS3Once },
    { store: "S3", answer: s3Answer(507, "XMinioStorageFull"), name: "DestinationFullError", open: openS3Once },
    { store: "S3", answer: s3Answer(418, "Teapot"), name: "UnexpectedError", open: openS3Once },
    { store: "GCS", answer: gcsAnswer(429, "rateLimitExceeded"), name: "DestinationThrottledError", open: openGcs },
    { store: "GCS", answer: gcsAnswer(403, "userRateLimitExceeded"), name: "DestinationThrottledError", open: openGcs },
    { store: "GCS", answer: gcsAnswer(503, "backendError"), name: "DestinationUnavailableError", open: openGcs },
    { store: "GCS", answer: gcsAnswer(401, "authError"), name: "DestinationAccessDeniedError", open: openGcs },
    { store: "GCS", answer: gcsAnswer(403, "forbidden"), name: "DestinationAccessDeniedError", open: openGcs },
    { store: "GCS", answer: gcsAnswer(507, "storageQuotaExceeded"), name: "DestinationFullError", open: openGcs },
    { store: "GCS", answer: gcsAnswer(418, "teapot"), name: "UnexpectedError", open: openGcs },
  ])(
    "is named $name when $store does so, on every call, without the store's own text",
    async ({ answer, name, open }) => {
      await withServer(answer, async ({ url }) => {
        for (const { call, make } of calls) {
          const failure = await make(open(url)).then(
            () => "no failure",
            (error: unknown) => error,
          );
          expect(failure, call).toMatchObject({ name, message: expect.not.stringContaining(canary) });
        }
      });
    },
  );

  it.each([
    { store: "S3", open: openS3 },
    { store: "GCS", open: openGcs },
  ])("is unavailable when $store hangs up half-way through a download", async ({ open }) => {
    const cut = (response: ServerResponse): void => {
      response.writeHead(200, { "content-length": "1000000", "content-type": "application/octet-stream" });
      response.write(Buffer.alloc(500_000), () => response.destroy());
    };
    await withServer(cut, async ({ url }) => {
      const reading = async () => readAll((await open(url).get("a")) ?? streamOf(Buffer.alloc(0)));
      await expect(reading()).rejects.toMatchObject({ name: "DestinationUnavailableError" });
    });
  });

  it.each([
    { store: "S3", open: openS3, attempts: 4 },
    { store: "GCS", open: openGcs, attempts: 1 },
  ])("is asked by $store's client a few times, not for ever", async ({ open, attempts }) => {
    await withServer(s3Answer(503, "SlowDown"), async ({ url, requests }) => {
      await expect(open(url).put("a", Buffer.from("1"))).rejects.toThrow();
      expect(requests.length).toBeLessThanOrEqual(attempts);
    });
  });
});
