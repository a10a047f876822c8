import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import {
  type ByteRange,
  boundsOf,
  type Destination,
  type PutReceipt,
  type SourceFile,
  type StoredObject,
} from "@openemr-ops/core/destination";
import { eachObject } from "@openemr-ops/core/eachObject";
import { measuredBody } from "@openemr-ops/core/measuredBody";
import { checkedKey, checkedPrefix, compareKeys } from "@openemr-ops/core/objectKeys";
import { withRenamedErrors } from "@openemr-ops/core/renamedErrors";
import { onFirstUse } from "./onFirstUse.ts";
import { type S3Settings, s3Client } from "./s3Client.ts";
import { s3Failure } from "./s3Failure.ts";
import { type ListedPage, metadataOf, s3Shortcut, sourceOf } from "./s3Shortcut.ts";

export interface S3DestinationSettings extends S3Settings {
  /** Segments joined by `/`, without one at either end; empty is the bucket's root. */
  readonly prefix: string;
  /** Replaces the client that the settings create. */
  readonly client?: S3Client | undefined;
  /** Objects in one page of a listing; the store's limit is 1000. */
  readonly pageSize?: number | undefined;
}

/** Two parts of this size are in memory at once; 10,000 of them, S3's limit, are 97 GiB. */
const partBytes = 10 * 1024 * 1024;

/** Pages of a listing that are asked for at once, where marks say where they begin. */
const pagesAhead = 6;

/** Where a page of a listing begins: behind the page that gave the token, or behind a key; with neither, at the first one. */
interface PageStart {
  readonly token?: string | undefined;
  readonly after?: string | undefined;
}

/** Keys of a listing behind `after` up to `until`, that one too. */
interface KeyRange {
  readonly first: Promise<ListedPage>;
  readonly after: string | undefined;
  readonly until: string | undefined;
}

const noMarks = async function* (): AsyncGenerator<string> {};

/** `NotFound` is the response to HEAD, which has no body with details. */
const isNotFound = (error: unknown): boolean =>
  error instanceof S3ServiceException && (error.name === "NoSuchKey" || error.name === "NotFound");

const isBehindEnd = (error: unknown): boolean =>
  error instanceof S3ServiceException && (error.name === "InvalidRange" || error.$metadata.httpStatusCode === 416);

const rangeOf = (range: ByteRange | undefined): { readonly Range?: string } => {
  const bounds = boundsOf(range);
  return bounds ? { Range: `bytes=${bounds.start}-${bounds.end ?? ""}` } : {};
};

/** A bucket of S3, or of a server with the S3 API, as destination. Failures: `s3Failure`. */
export const s3Destination = (
  settings: S3DestinationSettings,
  environment: Readonly<Record<string, string | undefined>> = {},
): Destination => {
  const { bucket, prefix, pageSize = 1000 } = settings;
  const client = onFirstUse(() => settings.client ?? s3Client(settings, environment));
  const shortcut = onFirstUse(() => s3Shortcut(client(), bucket));
  const url = `s3://${[bucket, prefix].filter(Boolean).join("/")}`;
  const below = prefix === "" ? "" : `${prefix}/`;
  const at = (key: string) => ({ Bucket: bucket, Key: below + checkedKey(key) });

  const page = (start: string, size: number, { token, after }: PageStart) =>
    client().send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: below + start,
        MaxKeys: size,
        ...(token ? { ContinuationToken: token } : {}),
        ...(after ? { StartAfter: below + after } : {}),
      }),
    );

  const putSmall = async (key: string, body: Buffer, source: SourceFile): Promise<PutReceipt> => {
    try {
      return await shortcut().putBody(at(key).Key, body, source);
    } catch (error) {
      throw s3Failure(error, `writing ${key} to ${url}`);
    }
  };

  const put = async (key: string, body: Readable | Buffer, source?: SourceFile): Promise<PutReceipt> => {
    if (source && Buffer.isBuffer(body) && body.length <= partBytes) return putSmall(key, body, source);
    const measured = measuredBody(body);
    const kept = source && { Metadata: metadataOf(source), ChecksumAlgorithm: "SHA256" as const };
    try {
      const params = { ...at(key), Body: measured.stream, ContentType: "application/octet-stream", ...kept };
      const upload = new Upload({ client: client(), queueSize: 2, partSize: partBytes, params });
      const { ETag } = await upload.done();
      return { ...measured.receipt(), etag: ETag };
    } catch (error) {
      throw measured.failure() ?? s3Failure(error, `writing ${key} to ${url}`);
    } finally {
      measured.stream.destroy();
    }
  };

  const get = async (key: string, range?: ByteRange): Promise<Readable | undefined> => {
    const rename = (error: unknown) => s3Failure(error, `reading ${key} from ${url}`);
    try {
      const { Body } = await client().send(new GetObjectCommand({ ...at(key), ...rangeOf(range) }));
      return withRenamedErrors(Body instanceof Readable ? Body : Readable.from([]), rename);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (range && isBehindEnd(error)) return Readable.from([]);
      throw rename(error);
    }
  };

  const describe = async (key: string): Promise<StoredObject | undefined> => {
    try {
      const found = await client().send(new HeadObjectCommand(at(key)));
      const { ContentLength = 0, LastModified = new Date(0), ETag, Metadata } = found;
      return { key, byteLength: ContentLength, modifiedAt: LastModified, etag: ETag, source: sourceOf(Metadata) };
    } catch (error) {
      if (!isNotFound(error)) throw s3Failure(error, `looking at ${key} in ${url}`);
    }
    try {
      await page("", 1, {}); // the response to HEAD has no body, so it cannot report that the bucket itself is missing
      return undefined;
    } catch (error) {
      throw s3Failure(error, `looking at ${key} in ${url}`);
    }
  };

  const listedPage = async (start: string, { token, after }: PageStart): Promise<ListedPage> => {
    const query = {
      prefix: below + start,
      "max-keys": String(pageSize),
      ...(token ? { "continuation-token": token } : {}),
      ...(after ? { "start-after": below + after } : {}),
    };
    const quick = await shortcut().listPage(query, below);
    if (quick) return quick;
    const found = await page(start, pageSize, { token, after }).catch((error: unknown) => {
      throw s3Failure(error, `listing ${url}`);
    });
    const objects = (found.Contents ?? []).flatMap(({ Key, Size = 0, LastModified = new Date(0), ETag }) =>
      Key === undefined || Key.endsWith("/")
        ? []
        : [{ key: Key.slice(below.length), byteLength: Size, modifiedAt: LastModified, etag: ETag }],
    );
    return { objects, token: found.IsTruncated ? found.NextContinuationToken : undefined };
  };

  const begun = (start: string, from: PageStart): Promise<ListedPage> => {
    const next = listedPage(start, from);
    next.catch(() => undefined); // the reader may not come for it
    return next;
  };

  /** The pages of a range, the first of which is on its way. */
  async function* pagesOf(start: string, { first, after, until }: KeyRange): AsyncGenerator<readonly StoredObject[]> {
    const isIn = ({ key }: StoredObject) =>
      (after === undefined || compareKeys(key, after) > 0) && (until === undefined || compareKeys(key, until) <= 0);
    let next: Promise<ListedPage> | undefined = first;
    while (next) {
      const { objects, token }: ListedPage = await next;
      const last = objects.at(-1);
      const endsBefore: boolean = !last || until === undefined || compareKeys(last.key, until) < 0;
      next = token && endsBefore ? begun(start, { token }) : undefined; // while the reader is busy with this page
      const begin = objects.findIndex(isIn);
      if (begin >= 0) yield objects.slice(begin, objects.findLastIndex(isIn) + 1);
    }
  }

  async function* listPages(
    start: string,
    marks: AsyncIterable<string> = noMarks(),
  ): AsyncGenerator<readonly StoredObject[]> {
    checkedPrefix(start);
    const cuts = marks[Symbol.asyncIterator]();
    const ahead: KeyRange[] = [];
    let after: string | undefined;
    let atEnd = false;
    const beginNext = async (): Promise<void> => {
      const first = begun(start, { after }); // it is on its way while the mark behind it is looked up
      const { done, value } = await cuts.next();
      atEnd = done === true;
      const until = done ? undefined : value;
      ahead.push({ first, after, until });
      after = until;
    };
    try {
      while (!atEnd || ahead.length > 0) {
        while (!atEnd && ahead.length < pagesAhead) await beginNext();
        const range = ahead.shift();
        if (!range) continue;
        yield* pagesOf(start, range);
      }
    } finally {
      await cuts.return?.();
    }
  }

  const remove = async (key: string): Promise<void> => {
    try {
      await client().send(new DeleteObjectCommand(at(key)));
    } catch (error) {
      if (!isNotFound(error)) throw s3Failure(error, `deleting ${key} from ${url}`);
    }
  };

  const list = (start: string) => eachObject(listPages(start));
  return { url, put, get, describe, list, listPages, delete: remove };
};
