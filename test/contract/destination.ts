import type { Destination } from "@openemr-ops/core/destination";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { compareKeys } from "@openemr-ops/core/objectKeys";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { readAll, seededBytes, sha256, streamOf } from "../support/bytes.ts";

/** Two empty destinations in the same store; the second's prefix begins with the first's letters, as `a` and `a2`. */
export interface FreshDestinations {
  readonly destination: Destination;
  readonly neighbour: Destination;
}

/** Names that stores, XML, URLs and signatures are known to trip over. */
export const oddKeys = [
  "a b/c d.txt",
  "plus+plus",
  "percent%20sign%2F",
  "ünï/códe/漢字.json",
  "emoji-😀",
  "quote'\"",
  "ampersand&lt;",
  "semi;colon,comma",
  "hash#question?",
  "equals=at@colon:",
  "tilde~star*paren()",
  "[bracket]{brace}",
  "dollar$bang!",
  "pipe|back`tick^",
  "dots...and.more",
  "..leading",
  "-dash/_underscore",
  " leading and trailing ",
];

const refusedKeys = [
  "",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "a/../b",
  "./a",
  "a/.",
  "a\nb",
  "a\u0000b",
  "a\uffffb",
  "x".repeat(1100),
  "\ud800",
];

const eachOf = async function* (marks: readonly string[]): AsyncGenerator<string> {
  yield* marks;
};

export const keysOf = async (
  destination: Destination,
  prefix = "",
  marks: readonly string[] = [],
): Promise<string[]> => {
  const keys: string[] = [];
  for await (const page of destination.listPages(prefix, eachOf(marks))) keys.push(...page.map(({ key }) => key));
  return keys;
};

const read = async (destination: Destination, key: string): Promise<Buffer | undefined> => {
  const stream = await destination.get(key);
  return stream && readAll(stream);
};

const inBatches = async <T>(items: readonly T[], size: number, work: (item: T) => Promise<unknown>): Promise<void> => {
  for (let start = 0; start < items.length; start += size)
    await Promise.all(items.slice(start, start + size).map(work));
};

type Step =
  | { readonly do: "put"; readonly key: string; readonly bytes: Buffer; readonly streamed: boolean }
  | { readonly do: "get" | "describe" | "delete"; readonly key: string }
  | { readonly do: "list"; readonly prefix: string };

const poolKeys = ["a", "ab", "a b", "a+b", "dir/a", "dir/b", "dir-a", "dir.a", "dir/sub/a", "é", "😀", "z/%41"];

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("put" as const),
    key: fc.constantFrom(...poolKeys),
    bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    streamed: fc.boolean(),
  }),
  fc.record({
    do: fc.constantFrom("get" as const, "describe" as const, "delete" as const),
    key: fc.constantFrom(...poolKeys),
  }),
  fc.record({
    do: fc.constant("list" as const),
    prefix: fc.constantFrom("", "a", "dir", "dir/", "dir/s", "z/", "none"),
  }),
);

const perform = async (step: Step, destination: Destination, model: Map<string, Buffer>): Promise<void> => {
  switch (step.do) {
    case "put": {
      const receipt = await destination.put(step.key, step.streamed ? streamOf(step.bytes) : step.bytes);
      expect(receipt).toMatchObject({ byteLength: step.bytes.length, sha256: sha256(step.bytes) });
      model.set(step.key, step.bytes);
      return;
    }
    case "get":
      expect(await read(destination, step.key)).toEqual(model.get(step.key));
      return;
    case "describe":
      expect((await destination.describe(step.key))?.byteLength).toBe(model.get(step.key)?.length);
      return;
    case "delete":
      await destination.delete(step.key);
      model.delete(step.key);
      return;
    case "list": {
      const expected = [...model.keys()].filter((key) => key.startsWith(step.prefix)).sort(compareKeys);
      expect(await keysOf(destination, step.prefix)).toEqual(expected);
    }
  }
};

/** What the product expects of every destination. `open` gives empty ones each time. */
export const destinationContract = (
  name: string,
  open: () => Promise<FreshDestinations>,
  { manyObjects = 1050, histories = 12 }: { manyObjects?: number; histories?: number } = {},
): void => {
  describe(`${name} as a destination`, () => {
    let destination: Destination;
    let neighbour: Destination;
    beforeEach(async () => {
      ({ destination, neighbour } = await open());
    });

    it.each([
      { what: "an empty object", bytes: Buffer.alloc(0), streamed: false },
      { what: "an empty stream", bytes: Buffer.alloc(0), streamed: true },
      { what: "a small object", bytes: Buffer.from("row\n"), streamed: false },
      { what: "a small stream", bytes: seededBytes(1, 70_000), streamed: true },
      { what: "20 MB at once", bytes: seededBytes(2, 20_000_000), streamed: false },
      { what: "a stream of 20 MB", bytes: seededBytes(3, 20_000_000), streamed: true },
      { what: "a stream of exactly one part", bytes: seededBytes(4, 10 * 1024 * 1024), streamed: true },
    ])("gives back $what as it was put, with its size and digest", async ({ bytes, streamed }) => {
      const receipt = await destination.put("dir/object", streamed ? streamOf(bytes) : bytes);

      expect(receipt).toMatchObject({ byteLength: bytes.length, sha256: sha256(bytes) });
      expect((await destination.describe("dir/object"))?.byteLength).toBe(bytes.length);
      expect(sha256((await read(destination, "dir/object")) ?? Buffer.from("absent"))).toBe(sha256(bytes));
    });

    it("tells when an object was written", async () => {
      await destination.put("a", Buffer.from("1"));

      const described = await destination.describe("a");
      expect(described?.key).toBe("a");
      expect(Math.abs((described?.modifiedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    });

    it.each([
      { what: "an empty file", bytes: Buffer.alloc(0), streamed: false },
      { what: "a small file", bytes: Buffer.from("of a patient"), streamed: false },
      { what: "a small file as a stream", bytes: seededBytes(10, 70_000), streamed: true },
      { what: "a large file", bytes: seededBytes(11, 12_000_000), streamed: false },
      { what: "a large file as a stream", bytes: seededBytes(12, 12_000_000), streamed: true },
    ])("keeps the time of $what, and marks the write", async ({ bytes, streamed }) => {
      const modifiedNs = 1_764_215_999_123_456_789n;
      const put = (key: string, content: Buffer) =>
        destination.put(key, streamed ? streamOf(content) : content, { modifiedNs });
      const receipt = await put("ünï (1)/a+b", bytes);

      expect(receipt).toMatchObject({ byteLength: bytes.length, sha256: sha256(bytes), etag: expect.any(String) });
      const described = await destination.describe("ünï (1)/a+b");
      expect(described).toMatchObject({ byteLength: bytes.length, etag: receipt.etag });
      expect((described?.source?.modifiedNs ?? 0n) / 1000n).toBe(modifiedNs / 1000n);
      for await (const listed of destination.list("")) expect(listed.etag).toBe(receipt.etag);
      expect(sha256((await read(destination, "ünï (1)/a+b")) ?? Buffer.from("absent"))).toBe(sha256(bytes));

      await put("ünï (1)/a+b", Buffer.concat([bytes, Buffer.from(".")]));
      expect((await destination.describe("ünï (1)/a+b"))?.etag).not.toBe(receipt.etag);
    });

    it("replaces an object whole, also by a shorter one", async () => {
      await destination.put("a", seededBytes(5, 100_000));
      await destination.put("a", Buffer.from("short"));

      expect(await read(destination, "a")).toEqual(Buffer.from("short"));
      expect(await keysOf(destination)).toEqual(["a"]);
    });

    it("has nothing to say of an absent object", async () => {
      await destination.put("dir/a", Buffer.from("1"));

      for (const key of ["absent", "dir", "dir/absent", "dir/a/below"]) {
        expect(await destination.get(key)).toBeUndefined();
        expect(await destination.describe(key)).toBeUndefined();
      }
      expect(await keysOf(destination, "absent")).toEqual([]);
    });

    it("lists nothing while it is empty", async () => {
      expect(await keysOf(destination)).toEqual([]);
      expect(await keysOf(destination, "dir/")).toEqual([]);
    });

    it("deletes one object, again and again, and leaves the others", async () => {
      await destination.put("dir/a", Buffer.from("1"));
      await destination.put("dir/b", Buffer.from("2"));

      await destination.delete("dir/a");
      await destination.delete("dir/a");
      await destination.delete("never/was");
      await destination.delete("dir");

      expect(await keysOf(destination)).toEqual(["dir/b"]);
      expect(await destination.get("dir/a")).toBeUndefined();
    });

    it("uses a name again after its object was deleted, as an object or as the start of others", async () => {
      await destination.put("a/b", Buffer.from("1"));
      await destination.delete("a/b");
      await destination.put("a", Buffer.from("2"));
      await destination.delete("a");
      await destination.put("a/b", Buffer.from("3"));

      expect(await keysOf(destination)).toEqual(["a/b"]);
    });

    it("lists in the order of the keys' bytes, with slashes as letters like others", async () => {
      const keys = ["b", "a/z", "a-z", "a.z", "a0", "a/b/c", "é", "z", "😀", "￼"];
      await inBatches(keys, 4, (key) => destination.put(key, Buffer.from(key)));

      expect(await keysOf(destination)).toEqual([...keys].sort(compareKeys));
    });

    it("lists by any beginning, not only by whole segments", async () => {
      await inBatches(["dump-1/a", "dump-1/b", "dump-2/a", "other"], 4, (key) =>
        destination.put(key, Buffer.from(key)),
      );

      expect(await keysOf(destination, "du")).toEqual(["dump-1/a", "dump-1/b", "dump-2/a"]);
      expect(await keysOf(destination, "dump-1/")).toEqual(["dump-1/a", "dump-1/b"]);
      expect(await keysOf(destination, "dump-1/b")).toEqual(["dump-1/b"]);
      expect(await keysOf(destination, "dump-1/b/")).toEqual([]);
    });

    it("lists more objects than a store gives at once", async () => {
      const keys = Array.from({ length: manyObjects }, (_, index) => `many/${String(index).padStart(5, "0")}`);
      await inBatches(keys, 16, (key) => destination.put(key, Buffer.from(key)));

      expect(await keysOf(destination, "many/")).toEqual(keys);
    });

    it("lists the same whatever marks the caller knows", async () => {
      const keys = ["a/1", "a/2", "a/3", "a/b/c", "a/z", "a0", "b", "é", "z", "￼", "😀"].sort(compareKeys);
      await inBatches(keys, 4, (key) => destination.put(key, Buffer.from(key)));

      for (const prefix of ["", "a/"])
        for (const marks of [[], keys, ["A"], ["a/2"], ["a/2a", "a/y"], ["zz", "￼a"], ["0", "a/", "é", "～"]])
          expect(await keysOf(destination, prefix, marks)).toEqual(keys.filter((key) => key.startsWith(prefix)));
    });

    it("sees nothing of a neighbour whose prefix begins with the same letters", async () => {
      await neighbour.put("a", Buffer.from("theirs"));
      await destination.put("a", Buffer.from("ours"));
      await destination.delete("a");

      expect(await keysOf(destination)).toEqual([]);
      expect(await read(neighbour, "a")).toEqual(Buffer.from("theirs"));
    });

    it("keeps odd keys as they are", async () => {
      await inBatches(oddKeys, 6, (key) => destination.put(key, Buffer.from(key)));

      expect(await keysOf(destination)).toEqual([...oddKeys].sort(compareKeys));
      for (const key of oddKeys) {
        expect((await read(destination, key))?.toString()).toBe(key);
        expect((await destination.describe(key))?.byteLength).toBe(Buffer.byteLength(key));
        await destination.delete(key);
      }
      expect(await keysOf(destination)).toEqual([]);
    });

    it.each(refusedKeys.map((key) => ({ key })))("refuses the key $key", async ({ key }) => {
      await expect(destination.put(key, Buffer.from("1"))).rejects.toThrow(InvalidInputError);
      await expect(destination.get(key)).rejects.toThrow(InvalidInputError);
      await expect(destination.describe(key)).rejects.toThrow(InvalidInputError);
      await expect(destination.delete(key)).rejects.toThrow(InvalidInputError);
      expect(await keysOf(destination)).toEqual([]);
    });

    it.each([
      { when: "at once", byteLength: 0 },
      { when: "within the first part", byteLength: 100_000 },
      { when: "within a later part", byteLength: 40_000_000 },
    ])("stores nothing of a stream that breaks off $when, and says what the stream said", async ({ byteLength }) => {
      const failure = new Error("the dump program was killed");
      await destination.put("old", Buffer.from("old"));

      await expect(destination.put("new", streamOf(seededBytes(6, byteLength), failure))).rejects.toBe(failure);
      await expect(destination.put("old", streamOf(seededBytes(6, byteLength), failure))).rejects.toBe(failure);

      expect(await keysOf(destination)).toEqual(["old"]);
      expect(await read(destination, "old")).toEqual(Buffer.from("old"));
    });

    it("stores nothing of a stream that was destroyed without an error", async () => {
      const stream = streamOf(seededBytes(7, 1_000_000));
      stream.once("data", () => stream.destroy());

      await expect(destination.put("a", stream)).rejects.toThrow("broke off");
      expect(await keysOf(destination)).toEqual([]);
    });

    it("gives a part of an object, as far as the object reaches", async () => {
      const bytes = seededBytes(9, 300_000);
      await destination.put("a", bytes);
      const part = async (start: number, length?: number) => {
        const stream = await destination.get("a", { start, length });
        return stream ? readAll(stream) : undefined;
      };

      expect(await part(0, 10)).toEqual(bytes.subarray(0, 10));
      expect(await part(123_456, 100_001)).toEqual(bytes.subarray(123_456, 223_457));
      expect(await part(299_999, 1)).toEqual(bytes.subarray(299_999));
      expect(await part(250_000)).toEqual(bytes.subarray(250_000));
      expect(await part(290_000, 50_000)).toEqual(bytes.subarray(290_000));
      expect(await part(300_000, 10)).toEqual(Buffer.alloc(0));
      expect(await destination.get("absent", { start: 0, length: 1 })).toBeUndefined();
    });

    it("lets a reader go away half-way", async () => {
      await destination.put("a", seededBytes(8, 5_000_000));

      for (let round = 0; round < 5; round += 1) {
        for await (const chunk of (await destination.get("a")) ?? []) {
          expect(chunk.length).toBeGreaterThan(0);
          break;
        }
        (await destination.get("a"))?.destroy();
      }
      expect((await read(destination, "a"))?.length).toBe(5_000_000);
    });

    it("does what a map of keys to bytes does, in any sequence of calls", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 25 }), async (steps) => {
          const { destination: fresh } = await open();
          const model = new Map<string, Buffer>();
          // on a file system a name is a file or a directory: keys that would need both stay out of the pool
          for (const step of steps) await perform(step, fresh, model);
          expect(await keysOf(fresh)).toEqual([...model.keys()].sort(compareKeys));
        }),
        { numRuns: histories },
      );
    });
  });
};
