import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip, createZstdCompress, createZstdDecompress, constants as zlib } from "node:zlib";
import { readSmallFile, secretFileProblem } from "@openemr-ops/core/config/smallFile";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DiskFullError,
  IntegrityError,
  InvalidInputError,
  LocalSystemError,
  OpsError,
  RepositoryPasswordError,
  RetryableError,
} from "@openemr-ops/core/errors";
import { isClosedEarly, streamSink } from "@openemr-ops/files/byteSink";
import type { Decrypter } from "age-encryption";
import type { StoredPart } from "./dumpStore.ts";
import { piecesDigest, verifiedPieces } from "./pieces.ts";
import { type Produce, produceInto } from "./producer.ts";

export interface PackedObjectSettings {
  readonly destination: Destination;
  readonly compression: "gzip" | "zstd";
  readonly ageRecipients: readonly string[];
  /** A file with private halves (`AGE-SECRET-KEY-…`); needed only where an encrypted set is read. */
  readonly ageIdentityFile?: string | undefined;
}

export type ObjectPart = Extract<StoredPart, { kind: "object" }>;

/** Streams into and out of compressed objects that are encrypted where recipients are set. */
export interface PackedObjects {
  /** What every key ends in, such as `.zst.age`. */
  readonly suffix: string;
  /** Compresses, encrypts and uploads what `produce` sends; the object appears only if it resolves. */
  upload(key: string, produce: Produce, signal: AbortSignal): Promise<ObjectPart>;
  /**
   * Gives `consume` the bytes as they were before compression. No stored byte is used before its digest was compared: piece
   * by piece, or by reading an older dump's object twice.
   *
   * @param options.mayStop `consume` may close the stream before its end; the rest is then neither read nor compared
   * @throws {IntegrityError} the object is damaged or gone, however that showed
   * @throws {RepositoryPasswordError} the identity is not that of a recipient
   * @throws {InvalidInputError} there is no identity
   */
  download(
    part: ObjectPart,
    consume: (stream: Readable) => Promise<void>,
    signal: AbortSignal,
    options?: { readonly mayStop?: boolean },
  ): Promise<void>;
  /** Reads the whole object. @throws {IntegrityError} */
  assertDigest(part: ObjectPart): Promise<void>;
}

const compressor = (compression: PackedObjectSettings["compression"]) =>
  compression === "gzip" ? createGzip() : createZstdCompress({ params: { [zlib.ZSTD_c_checksumFlag]: 1 } });

const webStream = (stream: Readable) => Readable.toWeb(stream) as ReadableStream<Uint8Array>;

const damaged = (part: ObjectPart, cause?: unknown) =>
  new IntegrityError(`object ${part.key} is damaged: its bytes are not those that were written`, { cause });

/** Loaded only where it is used: it costs start-up time, and few need it. */
const age = () => import("age-encryption");

/** One that opens with any of the identities in the file. @throws {InvalidInputError} */
const readDecrypter = async (file: string | undefined): Promise<Decrypter> => {
  const refuse = (message: string): never => {
    throw new InvalidInputError([{ path: "dumps.ageIdentityFile", message }]);
  };
  if (!file) return refuse("this dump is encrypted with age; name the file that holds the AGE-SECRET-KEY-… line");
  const read = await readSmallFile(file);
  if ("problem" in read) return refuse(`${file} ${read.problem}`);
  const open = secretFileProblem(read);
  if (open) return refuse(`${file} ${open}`);
  const identities = read.content
    .toString("utf8")
    .split("\n")
    .filter((line) => line.startsWith("AGE-SECRET-KEY-"));
  if (identities.length === 0) return refuse("holds no line that begins with AGE-SECRET-KEY-");
  const decrypter = new (await age()).Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity.trim());
  } catch {
    return refuse("holds an AGE-SECRET-KEY-… line that is no key: a letter is missing or wrong"); // no cause: it may quote the key
  }
  return decrypter;
};

export const packedObjects = (settings: PackedObjectSettings): PackedObjects => {
  const { destination } = settings;

  const upload = async (key: string, produce: Produce, signal: AbortSignal): Promise<ObjectPart> => {
    const plain = compressor(settings.compression);
    let body: Readable = plain;
    if (settings.ageRecipients.length > 0) {
      const { Encrypter } = await age();
      const encrypter = new Encrypter();
      for (const recipient of settings.ageRecipients) encrypter.addRecipient(recipient);
      body = Readable.fromWeb((await encrypter.encrypt(webStream(plain))) as never);
    }
    // A stream of our own stands between, so that a failing producer fails the upload and is not mistaken for the end.
    const pieces = piecesDigest();
    const guarded = new PassThrough({
      transform: (chunk: Buffer, _encoding, next) => {
        pieces.update(chunk);
        next(null, chunk);
      },
    });
    const piped = pipeline(body, guarded);
    piped.catch(() => {});
    const uploaded = destination.put(key, guarded);
    uploaded.catch(() => plain.destroy());
    try {
      await produceInto(produce, streamSink(plain), { taken: uploaded, signal });
    } catch (error) {
      guarded.destroy(error as Error);
      plain.destroy();
      await Promise.allSettled([piped, uploaded]);
      throw error;
    }
    plain.end();
    const receipt = await uploaded;
    return { kind: "object", key, ...receipt, pieces: pieces.digest() };
  };

  const assertDigest = async (part: ObjectPart): Promise<void> => {
    const body = await destination.get(part.key);
    if (!body) throw new IntegrityError(`object ${part.key} is not at the destination`);
    for await (const _ of verifiedPieces(body, part, () => damaged(part)));
  };

  /**
   * Damage shows in many ways: as a broken archive, an identity that does not fit, a statement that the server refuses. The
   * digest tells which failures are its doing.
   */
  const explain = async (part: ObjectPart, error: unknown, signal: AbortSignal): Promise<unknown> => {
    const unrelated = [IntegrityError, RetryableError, DiskFullError, LocalSystemError, InvalidInputError];
    if (signal.aborted || unrelated.some((kind) => error instanceof kind)) return error;
    const found = await assertDigest(part).catch((problem: unknown) => problem);
    if (found instanceof IntegrityError) return found;
    if (error instanceof OpsError) return error;
    const { code = "", message } = error as Error & { code?: string };
    if (/no identity matched/.test(message))
      return new RepositoryPasswordError(
        `object ${part.key} is encrypted for other recipients than the identity in dumps.ageIdentityFile`,
        { cause: error },
      );
    return /^ERR_|^Z_|ZSTD/.test(code) ? damaged(part, error) : error;
  };

  const download = async (
    part: ObjectPart,
    consume: (stream: Readable) => Promise<void>,
    signal: AbortSignal,
    { mayStop = false }: { readonly mayStop?: boolean } = {},
  ): Promise<void> => {
    if (!part.pieces) await assertDigest(part); // of an older dump nothing is known until all of it was read
    const stored = await destination.get(part.key);
    if (!stored) throw new IntegrityError(`object ${part.key} is not at the destination`);
    const watched = new PassThrough();
    const fetched = pipeline(stored, (source) => verifiedPieces(source, part, () => damaged(part)), watched);
    fetched.catch(() => {});
    try {
      const source = part.key.endsWith(".age")
        ? Readable.fromWeb((await (await readDecrypter(settings.ageIdentityFile)).decrypt(webStream(watched))) as never)
        : watched;
      const plain = part.key.includes(".gz") ? createGunzip() : createZstdDecompress();
      let broken: unknown;
      plain.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "ABORT_ERR") broken = error; // the consumer failed and reads no more: its error is the cause
      });
      source.on("error", (error) => plain.destroy(error));
      source.pipe(plain);
      await consume(plain).catch((error: unknown) => {
        throw broken ?? error;
      });
      if (mayStop && isClosedEarly(plain)) {
        source.unpipe(plain);
        source.on("error", () => {});
        stored.destroy();
        watched.destroy();
        await fetched.catch(() => {});
        return;
      }
      source.unpipe(plain).resume(); // whatever follows the packed data is part of what the digest covers
      await fetched;
    } catch (error) {
      stored.destroy();
      watched.destroy();
      throw await explain(part, error, signal);
    }
  };

  const suffix = `.${settings.compression === "gzip" ? "gz" : "zst"}${settings.ageRecipients.length > 0 ? ".age" : ""}`;
  return { suffix, upload, download, assertDigest };
};
