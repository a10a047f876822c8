import { Readable } from "node:stream";
import type { Destination, SourceFile, StoredObject } from "@openemr-ops/core/destination";
import { eachObject } from "@openemr-ops/core/eachObject";
import { measuredBody } from "@openemr-ops/core/measuredBody";
import { checkedKey, checkedPrefix, compareKeys } from "@openemr-ops/core/objectKeys";

/** A destination that lives in this process, and shows what was left behind. */
export interface MemoryDestination extends Destination {
  /** In key order. */
  keys(): readonly string[];
  bytesOf(key: string): Buffer | undefined;
  /** Puts bytes there behind the product's back: tampering, or what somebody else stored. */
  plant(key: string, bytes: Buffer | string): void;
}

/**
 * @param stored what lies there from the start
 * @param options.now gives `modifiedAt`
 */
export const memoryDestination = (
  stored: Readonly<Record<string, Buffer | string>> = {},
  { now = () => new Date(), url = "memory://destination" }: { now?: () => Date; url?: string } = {},
): MemoryDestination => {
  const objects = new Map<string, { bytes: Buffer; modifiedAt: Date; etag: string; source?: SourceFile | undefined }>();
  let writes = 0;
  const plant = (key: string, bytes: Buffer | string, source?: SourceFile): string => {
    const etag = String(++writes);
    objects.set(checkedKey(key), { bytes: Buffer.from(bytes), modifiedAt: now(), etag, source });
    return etag;
  };
  for (const [key, bytes] of Object.entries(stored)) plant(key, bytes);
  const keys = () => [...objects.keys()].sort(compareKeys);
  const describe = (key: string): StoredObject | undefined => {
    const found = objects.get(checkedKey(key));
    if (!found) return undefined;
    const { bytes, modifiedAt, etag, source } = found;
    return { key, byteLength: bytes.length, modifiedAt, etag, source };
  };

  async function* listPages(prefix: string): AsyncGenerator<readonly StoredObject[]> {
    checkedPrefix(prefix);
    for (const key of keys().filter((each) => each.startsWith(prefix))) {
      const found = describe(key);
      if (found) yield [found];
    }
  }

  return {
    url,
    keys,
    plant: (key, bytes) => {
      plant(key, bytes);
    },
    bytesOf: (key) => objects.get(key)?.bytes,
    async put(key, body, source) {
      const measured = measuredBody(body);
      const chunks: Buffer[] = [];
      try {
        checkedKey(key);
        for await (const chunk of measured.stream) chunks.push(chunk);
      } catch (error) {
        throw measured.failure() ?? error;
      } finally {
        measured.stream.destroy();
      }
      const etag = plant(key, Buffer.concat(chunks), source);
      return { ...measured.receipt(), etag };
    },
    async get(key, { start, length = Number.POSITIVE_INFINITY } = { start: 0 }) {
      const bytes = objects.get(checkedKey(key))?.bytes.subarray(start, start + length);
      return bytes && Readable.from(bytes.length > 0 ? [bytes] : [], { objectMode: false });
    },
    describe: async (key) => describe(key),
    list: (prefix) => eachObject(listPages(prefix)),
    listPages,
    async delete(key) {
      objects.delete(checkedKey(key));
    },
  };
};
