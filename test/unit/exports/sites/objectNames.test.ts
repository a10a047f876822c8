import { checkedKey, compareKeys } from "@openemr-ops/core/objectKeys";
import { keyBytes, keyText, pathOfKey, pathText, segmentOf } from "@openemr-ops/exports/sites/objectNames";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oddNames } from "../../../support/oddTree.ts";

const anyByte = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(..."ab%~2EFf5_.é😀\ufffe\u202e".split("")) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)) },
);
/** A name as a directory gives it: bytes without zero and slash. */
const anyName = fc
  .array(anyByte, { minLength: 1, maxLength: 255 })
  .map((letters) =>
    letters
      .map((letter) => (letter > "\xff" || letter === "é" ? Buffer.from(letter).toString("latin1") : letter))
      .join("")
      .replaceAll("/", "-")
      .slice(0, 255),
  )
  .filter((name) => name !== "." && name !== "..");

describe("the key of a file", () => {
  it("can be held by every destination, whatever the file is called", () => {
    fc.assert(
      fc.property(anyName, fc.boolean(), (name, top) => {
        const key = keyText(segmentOf(name, top));
        expect(checkedKey(key)).toBe(key);
        expect(keyBytes(key)).toBe(segmentOf(name, top));
      }),
    );
  });

  it("leads back to the file's path, unless it had to be shortened", () => {
    fc.assert(
      fc.property(fc.array(anyName, { minLength: 1, maxLength: 3 }), (names) => {
        const key = names.map((name, index) => segmentOf(name, index === 0)).join("/");
        if (!key.includes("%~")) expect(pathOfKey(key)).toBe(names.join("/"));
      }),
    );
  });

  it("is another one for another name", () => {
    fc.assert(
      fc.property(anyName, anyName, (one, other) => {
        expect(segmentOf(one) === segmentOf(other)).toBe(one === other);
      }),
    );
    const long = ["x".repeat(255), `${"x".repeat(254)}y`, "\xff".repeat(255), `${"\xff".repeat(254)}\xfe`];
    expect(new Set(long.map((name) => segmentOf(name))).size).toBe(4);
    expect(new Set(oddNames.map((name) => segmentOf(name))).size).toBe(oddNames.length);
  });

  it("is the name itself wherever it can be", () => {
    for (const name of ["report (1).pdf", "100%.pdf", "é", "e\u0301", "漢字", "a+b&c"])
      expect(keyText(segmentOf(Buffer.from(name).toString("latin1")))).toBe(name);
    expect(segmentOf("caf\xe9")).toBe("caf%E9");
    expect(segmentOf("caf%E9")).toBe("caf%25E9");
    expect(segmentOf("new\nline")).toBe("new%0Aline");
  });

  it("is never one of this program's own at the top", () => {
    expect(segmentOf("_SUCCESS", true)).toBe("%5FSUCCESS");
    expect(segmentOf("_inventory", true)).toBe("%5Finventory");
    expect(segmentOf("_SUCCESS")).toBe("_SUCCESS");
  });

  it("sorts by its bytes as listings do", () => {
    fc.assert(
      fc.property(anyName, anyName, (one, other) => {
        const [a, b] = [segmentOf(one), segmentOf(other)];
        expect(Math.sign(a < b ? -1 : a > b ? 1 : 0)).toBe(Math.sign(compareKeys(keyText(a), keyText(b))));
      }),
    );
  });
});

it("gives a path as text, and its bytes where the text is not all of it", () => {
  expect(pathText("default/caf\xe9")).toEqual({
    text: "default/caf%E9",
    raw: Buffer.from("default/caf\xe9", "latin1"),
  });
  expect(pathText(Buffer.from("default/é").toString("latin1"))).toEqual({ text: "default/é" });
});
