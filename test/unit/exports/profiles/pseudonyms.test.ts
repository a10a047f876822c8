import { pseudonymsOf } from "@openemr-ops/exports/profiles/pseudonyms";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const key = "k".repeat(32);
const of = (domain: string, text: string, secret = key) => pseudonymsOf(secret)(domain)(Buffer.from(text));
const number = fc.bigInt({ min: 1n, max: 2n ** 63n });

describe("a pseudonym", () => {
  it("is 128 bits as text", () => {
    expect(of("patient", "7")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("stays what it was in earlier releases, for exports are joined with each other", () => {
    expect(of("patient", "7")).toBe("6d221a1b6b413edee26d045644dff105");
  });

  it("is the same in every column of its subject, so that joins hold", () => {
    fc.assert(
      fc.property(number, (value) => {
        const [one, other] = [pseudonymsOf(key), pseudonymsOf(key)];
        expect(one("patient")(Buffer.from(`${value}`))).toBe(other("patient")(Buffer.from(`${value}`)));
      }),
    );
  });

  it("differs by value, by subject and by key", () => {
    fc.assert(
      fc.property(number, number, (one, other) => {
        fc.pre(one !== other);
        expect(of("patient", `${one}`)).not.toBe(of("patient", `${other}`));
        expect(of("patient", `${one}`)).not.toBe(of("encounter", `${one}`));
        expect(of("patient", `${one}`)).not.toBe(of("patient", `${one}`, "K".repeat(32)));
      }),
    );
  });

  it("does not mix up where a subject ends and a value begins", () => {
    expect(of("a", "b7")).not.toBe(of("ab", "7"));
  });

  it.each([
    ["7", "007"],
    ["7", " 7 "],
    ["admin", "Admin"],
  ])("is one for %j and %j, which the application takes for one", (one, other) => {
    expect(of("user", one)).toBe(of("user", other));
  });

  it("leaves 0, which means that there is none, and nothing for an empty value", () => {
    expect(of("encounter", "0")).toBe("0");
    expect(of("encounter", "000")).toBe("0");
    expect(of("encounter", "")).toBeUndefined();
    expect(of("encounter", "  ")).toBeUndefined();
  });

  it("is found by no list of all values without the key", () => {
    const wanted = of("patient", "4711");
    const guesses = Array.from({ length: 5000 }, (_, value) =>
      of("patient", `${value}`, "another key of 32 characters....."),
    );
    expect(guesses).not.toContain(wanted);
  });

  it("is the same after more values than are remembered", () => {
    const patient = pseudonymsOf(key)("patient");
    const make = () => Array.from({ length: 140_000 }, (_, value) => patient(Buffer.from(`${value}`)));
    const first = make();
    expect(new Set(first).size).toBe(140_000);
    expect(make().join()).toBe(first.join());
  });
});
