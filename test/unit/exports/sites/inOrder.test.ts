import { inOrder } from "@openemr-ops/exports/sites/inOrder";
import { expect, it } from "vitest";

/** Work that ends when it is told to. */
const pending = <Result>() => Promise.withResolvers<Result>();
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

it("takes each result as soon as it is there and those before it are taken", async () => {
  const taken: string[] = [];
  const results = inOrder<string>(10, (result) => void taken.push(result));
  const [first, second] = [pending<string>(), pending<string>()];

  await results.add("at once");
  expect(taken).toEqual(["at once"]);
  await results.add(first.promise);
  await results.add(second.promise);
  await results.add("waits");
  second.resolve("second");
  await settled();
  await results.add("waits too");
  expect(taken).toEqual(["at once"]);

  first.resolve("first");
  await settled();
  await results.add("last");
  expect(taken).toEqual(["at once", "first", "second", "waits", "waits too", "last"]);
});

it("waits while as much is under way as may be", async () => {
  const taken: number[] = [];
  const results = inOrder<number>(3, (result) => void taken.push(result));
  const work = [pending<number>(), pending<number>(), pending<number>()];
  const adding = work.map(({ promise }) => results.add(promise));
  expect(adding.map((waiting) => waiting === undefined)).toEqual([true, true, false]);

  work[0]?.resolve(0);
  await adding[2];
  expect(taken).toEqual([0]);

  work[2]?.resolve(2);
  work[1]?.resolve(1);
  await results.finish();
  expect(taken).toEqual([0, 1, 2]);
});

it("fails with the first failure, takes nothing behind it, and leaves nothing under way", async () => {
  const taken: string[] = [];
  const results = inOrder<string>(10, (result) => void taken.push(result));
  const [first, second] = [pending<string>(), pending<string>()];
  await results.add(first.promise);
  await results.add(second.promise);
  second.reject(new Error("the second failed"));
  await settled();

  expect(() => results.add("behind")).toThrow("the second failed");
  const settling = results.settle();
  first.resolve("first");
  await settling;
  expect(taken).toEqual([]);
  await expect(results.finish()).rejects.toThrow("the second failed");
  expect(taken).toEqual(["first"]);
});
