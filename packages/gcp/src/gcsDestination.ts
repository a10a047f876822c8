import { type EventEmitter, once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type File, IdempotencyStrategy, Storage, type StorageOptions } from "@google-cloud/storage";
import {
  type ByteRange,
  boundsOf,
  type Destination,
  type PutReceipt,
  type SourceFile,
  type StoredObject,
} from "@openemr-ops/core/destination";
import { eachObject } from "@openemr-ops/core/eachObject";
import { OpsError } from "@openemr-ops/core/errors";
import { measuredBody, receiptFor } from "@openemr-ops/core/measuredBody";
import { checkedKey, checkedPrefix } from "@openemr-ops/core/objectKeys";
import { withRenamedErrors } from "@openemr-ops/core/renamedErrors";
import type { StoreLocation } from "@openemr-ops/core/residency";
import { gcsFailure, gcsStatusOf } from "./gcsFailure.ts";

export interface GcsDestinationSettings {
  readonly bucket: string;
  /** Segments joined by `/`, without one at either end; empty is the bucket's root. */
  readonly prefix: string;
  /** A server other than Google's; it is called without credentials. */
  readonly apiEndpoint?: string | undefined;
  /** Credentials; default: Google's usual environment (application default credentials). */
  readonly authClient?: StorageOptions["authClient"] | undefined;
  /** Replaces the client that the settings above create. */
  readonly storage?: Storage | undefined;
  /** Objects in one page of a listing; the store's limit is 1000. */
  readonly pageSize?: number | undefined;
}

/** The server compares the checksum that the library sends. With `auto` types it would decompress our files. */
const stored = { validation: "crc32c", contentType: "application/octet-stream" } as const;
/** Part of a resumable upload that is kept in memory and sent again after a fault; a multiple of 256 KiB. */
const chunkBytes = 8 * 1024 * 1024;

/** Name of the metadata that keeps a source's time: nanoseconds since 1970. */
const modified = "mtime-ns";
const sourceOf = (time: unknown): SourceFile | undefined =>
  typeof time === "string" && /^-?\d{1,20}$/.test(time) ? { modifiedNs: BigInt(time) } : undefined;

/** Each write of an object has a generation of its own. */
const etagOf = (generation: string | number | undefined): string | undefined =>
  generation === undefined ? undefined : String(generation);

/** Our writes replace whole objects, so repeating them is safe. The time limit is for a whole upload: a day. */
const retryOptions = {
  autoRetry: true,
  maxRetries: 3,
  maxRetryDelay: 16,
  totalTimeout: 24 * 3600,
  idempotencyStrategy: IdempotencyStrategy.RetryAlways,
};

/** The client for a store. */
export const gcsClient = ({ apiEndpoint, authClient }: GcsDestinationSettings): Storage => {
  const storage = new Storage({
    ...(apiEndpoint ? { apiEndpoint } : {}),
    ...(authClient ? { authClient } : {}),
    retryOptions,
  });
  // For Google's Go library, and so for restic, STORAGE_EMULATOR_HOST is a server's address; for this library the API's.
  storage.baseUrl = `${storage.apiEndpoint}/storage/v1`;
  return storage;
};

/**
 * Where a bucket is, as Google answers.
 *
 * @throws the `Destination…Error` family
 */
export const gcsPlace = async (settings: GcsDestinationSettings): Promise<StoreLocation> => {
  try {
    const [found] = await (settings.storage ?? gcsClient(settings)).bucket(settings.bucket).getMetadata();
    const parts = found.customPlacementConfig?.dataLocations ?? [];
    return { kind: "gcs", location: found.location ?? "", ...(parts.length > 0 ? { parts } : {}) };
  } catch (error) {
    throw gcsFailure(error, `asking where gs://${settings.bucket} is`);
  }
};

/** A bucket of Google Cloud Storage as destination. Failures: `gcsFailure`. */
export const gcsDestination = (settings: GcsDestinationSettings): Destination => {
  const { prefix, pageSize = 1000 } = settings;
  const bucket = (settings.storage ?? gcsClient(settings)).bucket(settings.bucket);
  const url = `gs://${[settings.bucket, prefix].filter(Boolean).join("/")}`;
  const below = prefix === "" ? "" : `${prefix}/`;
  const file = (key: string): File => bucket.file(below + checkedKey(key));

  const page = (start: string, maxResults: number, pageToken: string | undefined) =>
    bucket.getFiles({ prefix: below + start, maxResults, autoPaginate: false, ...(pageToken ? { pageToken } : {}) });

  /** Google responds 404 for a missing object and for a missing bucket: returns for the first, throws for the second. */
  const assertBucket = async (doing: string): Promise<undefined> => {
    await page("", 1, undefined).catch((error: unknown) => {
      throw gcsFailure(error, doing);
    });
  };

  const describe = async (key: string): Promise<StoredObject | undefined> => {
    const doing = `looking at ${key} in ${url}`;
    try {
      const [{ size = 0, updated = 0, generation, metadata }] = await file(key).getMetadata();
      const mark = { etag: etagOf(generation), source: sourceOf(metadata?.[modified]) };
      return { key, byteLength: Number(size), modifiedAt: new Date(updated), ...mark };
    } catch (error) {
      if (gcsStatusOf(error) !== 404) throw gcsFailure(error, doing);
      return assertBucket(doing);
    }
  };

  const put = async (key: string, body: Readable | Buffer, source?: SourceFile): Promise<PutReceipt> => {
    const target = file(key);
    const kept = source ? { metadata: { metadata: { [modified]: String(source.modifiedNs) } } } : {};
    if (Buffer.isBuffer(body)) {
      await target.save(body, { resumable: false, ...stored, ...kept }).catch((error: unknown) => {
        throw gcsFailure(error, `writing ${key} to ${url}`);
      });
      return { ...receiptFor(body), etag: etagOf(target.metadata.generation) };
    }
    const measured = measuredBody(body);
    try {
      await pipeline(measured.stream, target.createWriteStream({ chunkSize: chunkBytes, ...stored, ...kept }));
      return { ...measured.receipt(), etag: etagOf(target.metadata.generation) };
    } catch (error) {
      throw measured.failure() ?? gcsFailure(error, `writing ${key} to ${url}`);
    } finally {
      measured.stream.destroy();
    }
  };

  const get = async (key: string, range?: ByteRange): Promise<Readable | undefined> => {
    const doing = `reading ${key} from ${url}`;
    const source = file(key).createReadStream({ decompress: false, ...boundsOf(range) });
    source.once("response", (answer: EventEmitter) => answer.setMaxListeners(0)); // the library adds a dozen, and Node warns
    const stream = withRenamedErrors(source, (error) => gcsFailure(error, doing));
    try {
      await once(stream, "readable"); // the library fails when its stream is destroyed before the response arrives
      return stream;
    } catch (error) {
      const status = error instanceof OpsError ? gcsStatusOf(error.cause) : undefined;
      if (range && status === 416) return Readable.from([]); // it begins behind the object's end
      if (status !== 404) throw error;
      return assertBucket(doing);
    }
  };

  async function* listPages(start: string): AsyncGenerator<readonly StoredObject[]> {
    checkedPrefix(start);
    let token: string | undefined;
    do {
      const [files, next] = await page(start, pageSize, token).catch((error: unknown) => {
        throw gcsFailure(error, `listing ${url}`);
      });
      yield files
        .filter(({ name }) => !name.endsWith("/"))
        .map(({ name, metadata: { size = 0, updated = 0, generation } }) => ({
          key: name.slice(below.length),
          byteLength: Number(size),
          modifiedAt: new Date(updated),
          etag: etagOf(generation),
        }));
      token = next && "pageToken" in next ? String(next.pageToken) : undefined;
    } while (token !== undefined);
  }

  const remove = async (key: string): Promise<void> => {
    try {
      await file(key).delete({ ignoreNotFound: true });
    } catch (error) {
      throw gcsFailure(error, `deleting ${key} from ${url}`);
    }
  };

  const list = (prefix: string) => eachObject(listPages(prefix));
  return { url, put, get, describe, list, listPages, delete: remove };
};
