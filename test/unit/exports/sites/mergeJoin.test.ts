import { UnexpectedError } from "@openemr-ops/core/errors";
import { mergeJoin } from "@openemr-ops/exports/sites/mergeJoin";
import * as fc from "fast-check";
import { expect, it } from "vitest";

interface Item {
  readonly key: string;
  readonly from: string;
}

const stream = async function* (keys: readonly string[], from: string): AsyncGenerator<readonly Item[], void> {
  const items = keys.map((key) => ({ key, from }));
  const batch = (keys.length % 3) + 1;
  for (let index = 0; index < items.length; index += batch) {
    yield items.slice(index, index + batch);
    yield [];
  }
};
const join = async (streams: Readonly<Record<"a" | "b" | "c", readonly string[]>>) => {
  const keyOf = ({ key }: Item) => key;
  const joined: unknown[] = [];
  for await (const batch of mergeJoin<{ a: Item; b: Item; c: Item }>(
    { a: stream(streams.a, "a"), b: stream(streams.b, "b"), c: stream(streams.c, "c") },
    { a: keyOf, b: keyOf, c: keyOf },
  ))
    joined.push(...batch);
  return joined;
};

const anyKeys = fc
  .uniqueArray(fc.string({ unit: fc.constantFrom("a", "/", "-", "\xff"), maxLength: 3 }))
  .map((keys) => keys.sort());

/** Looks each key up. */
const lookedUp = (streams: Readonly<Record<"a" | "b" | "c", readonly string[]>>) =>
  [...new Set(Object.values(streams).flat())].sort().map((key) => ({
    key,
    ...Object.fromEntries(
      Object.entries(streams).flatMap(([from, keys]) => (keys.includes(key) ? [[from, { key, from }]] : [])),
    ),
  }));

it("walks through three streams as looking each key up would", async () => {
  await fc.assert(
    fc.asyncProperty(anyKeys, anyKeys, anyKeys, async (a, b, c) => {
      expect(await join({ a, b, c })).toEqual(lookedUp({ a, b, c }));
    }),
  );
});

it("does so with streams longer than what it gives together", async () => {
  const keys = Array.from({ length: 2000 }, (_, index) => String(index).padStart(4, "0"));
  const streams = { a: keys, b: keys.filter((_, index) => index % 7 > 0), c: keys.slice(300, 1500) };

  expect(await join(streams)).toEqual(lookedUp(streams));
});

it.each([
  ["falls", ["b", "a"]],
  ["repeats a key", ["a", "a"]],
])("refuses a stream that %s", async (_, keys) => {
  await expect(join({ a: [], b: keys, c: [] })).rejects.toThrow(UnexpectedError);
});

it("names the stream that is out of order, though another one fails a moment later", async () => {
  const failing = async function* (): AsyncGenerator<readonly Item[], void> {
    yield [{ key: "b", from: "a" }];
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new Error("the listing failed");
  };
  const keyOf = ({ key }: Item) => key;
  const joined = mergeJoin<{ a: Item; b: Item }>({ a: failing(), b: stream(["b", "a"], "b") }, { a: keyOf, b: keyOf });

  await expect(joined.next()).rejects.toThrow(UnexpectedError); // and nobody's failure goes unhandled, which ends a program
});
