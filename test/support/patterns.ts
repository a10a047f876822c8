import { expect } from "vitest";

/**
 * A pattern where a text is expected has to match it. Without this, `toMatchObject` takes any text for a part of any pattern,
 * and passes.
 */
expect.addEqualityTesters([
  (found, expected) => (typeof found === "string" && expected instanceof RegExp ? expected.test(found) : undefined),
]);
