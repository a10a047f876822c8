import type { Readable } from "node:stream";

/** One stored object. */
export interface StoredObject {
  /** Key below the destination's root; `/` separates, never leads. */
  readonly key: string;
  readonly byteLength: number;
  readonly modifiedAt: Date;
  /** The store's mark of exactly these bytes and their write; another one after each `put`. Compare it, infer nothing from it. */
  readonly etag?: string | undefined;
  /** The source that `put` was given, as far as the store keeps it. Only `describe` asks for it. */
  readonly source?: SourceFile | undefined;
}

/** The file that an object is a copy of. */
export interface SourceFile {
  /** When it was last changed: nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  /** Lower-case hex. */
  readonly sha256?: string | undefined;
}

/** Bytes of an object, counted from 0; without `length` to its end. */
export interface ByteRange {
  readonly start: number;
  readonly length?: number | undefined;
}

/** What a finished `put` says of the bytes that went through it. */
export interface PutReceipt {
  readonly byteLength: number;
  /** Lower-case hex, computed on our side while the bytes flowed. */
  readonly sha256: string;
  /** As `list` and `describe` give it afterwards, until the object is written again. */
  readonly etag?: string | undefined;
}

/** The first and the last byte of a range, as HTTP and Node's streams count; `undefined` for all of an object. */
export const boundsOf = (range: ByteRange | undefined): { readonly start: number; readonly end?: number } | undefined =>
  range && { start: range.start, ...(range.length === undefined ? {} : { end: range.start + range.length - 1 }) };

/**
 * Where dumps and exports are kept: a directory, a bucket of S3 or of something compatible, a bucket of Google Cloud.
 * Keys are relative to the destination's prefix. Every implementation passes `test/contract/destination.ts`.
 *
 * All methods throw the `Destination…Error` family of `errors.ts`; an absent object is `undefined`, never an error.
 */
export interface Destination {
  /** For messages: scheme, bucket and prefix; no credentials. */
  readonly url: string;
  /**
   * Writes an object whole: readers see the old one or the new one, never half. Streams; safe to repeat.
   *
   * @param source kept with the object; a store that can compare SHA-256 checksums then does
   */
  put(key: string, body: Readable | Buffer, source?: SourceFile): Promise<PutReceipt>;
  /**
   * The object's bytes as a stream, or `undefined` when there is none. The caller reads it to the end or destroys it. Of a
   * range, as many bytes as the object has there.
   */
  get(key: string, range?: ByteRange): Promise<Readable | undefined>;
  describe(key: string): Promise<StoredObject | undefined>;
  /** Every object whose key starts with `prefix`, in key order. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /**
   * The same some at a time, as the store gives them: a wait for each of millions adds up.
   *
   * @param marks keys of this kind in their order, as far as the caller knows them, at most a thousand objects apart. A store that
   *   gives a listing page by page begins several pages at once there. What is listed does not depend on them.
   */
  listPages(prefix: string, marks?: AsyncIterable<string>): AsyncIterable<readonly StoredObject[]>;
  /** Removes one object; absent is fine. */
  delete(key: string): Promise<void>;
}
