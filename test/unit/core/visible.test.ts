import { IntegrityError } from "@openemr-ops/core/errors";
import { visible, visibleJson } from "@openemr-ops/core/visible";
import * as fc from "fast-check";
import { expect, it } from "vitest";

const anything = fc.string({ unit: "binary", maxLength: 60 });
const obeyed = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

it.each([
  ["plain ü 漢 😀 \\ '", "plain ü 漢 😀 \\ '"],
  ["\u001b[2Jgone", "\\u{1b}[2Jgone"],
  ["two\r\nlines", "two\\u{d}\\u{a}lines"],
  ["a\u009bC1", "a\\u{9b}C1"],
  ["\u202egpj.exe", "\\u{202e}gpj.exe"],
  ["half \ud800", "half \\u{d800}"],
])("a name %j is shown as %s", (text, expected) => {
  expect(visible(text)).toBe(expected);
  expect(new IntegrityError(text).message).toBe(expected);
});

it("nothing is obeyed, whatever the text, and showing it twice changes nothing", () => {
  fc.assert(
    fc.property(anything, (text) => {
      expect(visible(text)).not.toMatch(obeyed);
      expect(visible(visible(text))).toBe(visible(text));
    }),
  );
});

it("JSON shows what it holds, and is read as the same value", () => {
  fc.assert(
    fc.property(fc.dictionary(anything, anything), fc.constantFrom(0, 2), (value, indent) => {
      const text = visibleJson(value, indent);
      expect(text.replaceAll("\n", "")).not.toMatch(obeyed);
      expect(JSON.parse(text)).toEqual(value);
    }),
  );
});
