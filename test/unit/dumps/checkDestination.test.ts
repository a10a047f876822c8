import type { Destination } from "@openemr-ops/core/destination";
import { DestinationAccessDeniedError, DestinationUnavailableError } from "@openemr-ops/core/errors";
import { checkDestination } from "@openemr-ops/dumps/checkDestination";
import { describe, expect, it } from "vitest";
import { keysOf } from "../../contract/destination.ts";
import { readAll, streamOf } from "../../support/bytes.ts";
import { memoryDestination } from "../../support/memoryDestination.ts";

const now = () => new Date("2026-11-20T12:00:00Z");
const failuresOf = async (destination: Destination) =>
  (await checkDestination(destination, { now })).filter(({ ok }) => !ok).map(({ check, note }) => `${check}: ${note}`);

describe("the check of a destination", () => {
  it("finds nothing wrong with one that keeps its promises, and leaves others' objects alone", async () => {
    const destination = memoryDestination({ "manifests/a.json": "{}", "scratch/other/a": "theirs" }, { now });

    const findings = await checkDestination(destination, { now });

    expect(findings.map(({ ok, note }) => ({ ok, note }))).toEqual(Array(10).fill({ ok: true, note: "" }));
    expect(destination.keys()).toEqual(["manifests/a.json", "scratch/other/a"]);
  });

  it("measures each check", async () => {
    let clock = 0;
    const monotonic = () => (clock += 2.4);
    const findings = await checkDestination(memoryDestination(), { now, monotonic });

    expect(new Set(findings.map(({ milliseconds }) => milliseconds))).toEqual(new Set([2]));
  });

  it.each<{ quirk: string; spoil: (good: Destination) => Partial<Destination>; complaint: string }>([
    {
      quirk: "cuts large objects short",
      spoil: (good) => ({
        get: async (key) => {
          const stream = await good.get(key);
          return stream && streamOf((await readAll(stream)).subarray(0, 5_000_000));
        },
      }),
      complaint: "a stream of 24 MiB comes back as it was written: 5000000 other bytes came back",
    },
    {
      quirk: "keeps half an object",
      spoil: (good) => ({
        put: async (key, body) => {
          if (Buffer.isBuffer(body)) return good.put(key, body);
          const chunks: Buffer[] = [];
          try {
            for await (const chunk of body) chunks.push(chunk);
          } catch (error) {
            await good.put(key, Buffer.concat(chunks));
            throw error;
          }
          return good.put(key, Buffer.concat(chunks));
        },
      }),
      complaint: "a stream that breaks off leaves nothing: half an object is there",
    },
    {
      quirk: "does not replace",
      spoil: (good) => ({
        put: async (key, body) => ((await good.describe(key)) ? { byteLength: 6, sha256: "" } : good.put(key, body)),
      }),
      complaint: "a second write replaces the first at once: the object's bytes are not those that were written",
    },
    {
      quirk: "may not delete",
      spoil: () => ({
        delete: async () => {
          throw new DestinationAccessDeniedError("deleting is denied");
        },
      }),
      complaint:
        "a deleted object is gone, and deleting it again is no error: DestinationAccessDeniedError: deleting is denied",
    },
    {
      quirk: "ignores deletes",
      spoil: () => ({ delete: async () => undefined }),
      complaint: "a deleted object is gone, and deleting it again is no error: it can still be read",
    },
    {
      quirk: "lists by folder alone",
      spoil: (good) => ({
        async *list(prefix) {
          for await (const found of good.list(prefix)) if (!found.key.slice(prefix.length).includes("/")) yield found;
        },
      }),
      complaint:
        "the listing is whole, in the order of the keys, and only of what was asked for: 1 of 3 objects are not listed",
    },
    {
      quirk: "does not answer",
      spoil: () => ({
        get: async () => {
          throw new DestinationUnavailableError("no answer");
        },
      }),
      complaint: "an absent object differs from an error: DestinationUnavailableError: no answer",
    },
  ])("says so when the store $quirk", async ({ spoil, complaint }) => {
    const good = memoryDestination({}, { now });

    expect(await failuresOf({ ...good, ...spoil(good) })).toContain(complaint);
  });

  it("reports a store whose clock or order of keys differs, without calling it broken", async () => {
    const good = memoryDestination({}, { now: () => new Date("2026-11-20T13:00:00Z") });
    const findings = await checkDestination(
      {
        ...good,
        async *list(prefix) {
          const found = [];
          for await (const object of good.list(prefix)) found.unshift(object);
          yield* found;
        },
      },
      { now },
    );

    expect(findings.every(({ ok }) => ok)).toBe(true);
    expect(findings.map(({ note }) => note).filter(Boolean)).toEqual([
      "quirk: the store's clock and ours differ by 3600 s",
      "quirk: keys come in another order",
    ]);
  });

  it("says what it could not remove", async () => {
    const good = memoryDestination({}, { now });
    const failures = await failuresOf({ ...good, delete: async () => undefined });

    expect(failures.at(-1)).toMatch(
      /^what the check wrote is removed: \d+ objects below scratch\/\w{26}\/ are still there/,
    );
    expect((await keysOf(good)).length).toBeGreaterThan(0);
  });
});
