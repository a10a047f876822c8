import { expect, it } from "vitest";

it("fails a test whose text does not match the pattern that stands for it", () => {
  const found = { problem: "differs from its sealed copy", inner: [{ said: "too long" }] };

  expect(found).toMatchObject({ problem: /sealed/, inner: [{ said: /^too/ }] });
  expect(() => expect(found).toMatchObject({ problem: /is damaged/ })).toThrow(/damaged/);
  expect(() => expect(found).toMatchObject({ inner: [{ said: /short/ }] })).toThrow(/short/);
  expect(() => expect(found).toEqual({ ...found, problem: /is damaged/ })).toThrow(/damaged/);
});
