import { createCipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";

const chunkBytes = 64 * 1024;

/** The same bytes for the same seed, without pattern: AES in counter mode over zeros. */
export const seededBytes = (seed: number, byteLength: number): Buffer => {
  const key = createHash("sha256").update(String(seed)).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(byteLength));
};

/** Gives `bytes` in chunks of 64 KiB; then ends, or breaks off with `failure`. */
export const streamOf = (bytes: Buffer, failure?: Error): Readable =>
  Readable.from(
    (function* () {
      for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
      if (failure) throw failure;
    })(),
    { objectMode: false },
  );

export const readAll = async (stream: Readable): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
