import { createHash } from "node:crypto";
import { planEstate } from "@openemr-ops/local/estate/plan";
import { sizeOf } from "@openemr-ops/local/estate/size";
import { estateTables } from "@openemr-ops/local/estate/table";
import { type Row, readValue } from "@openemr-ops/local/estate/values";
import { describe, expect, it } from "vitest";

const contents = { ...planEstate("any", sizeOf("tiny")), documents: [] };
const row = (changes: Partial<Row> = {}): Row => ({
  item: 7,
  n: 7,
  of: 9,
  random: contents.random("values"),
  contents,
  cells: { drawn: "before" },
  ...changes,
});
/** Digest of all rows of all tables of a seed. */
const digestOf = (seed: string): string => {
  const hash = createHash("sha256");
  const plan = { ...planEstate(seed, sizeOf("tiny")), documents: [] };
  for (const { name, rows } of estateTables)
    for (const cells of rows(plan)) hash.update(`${name}${JSON.stringify(cells)}\n`);
  return hash.digest("hex");
};

describe("the tables of the miniature hospital", () => {
  it("have the same rows for the same seed as they always had, so that figures of benchmarks can be compared", () => {
    expect(digestOf("one")).toBe("1cf482873a64eb46453dc5b587b3573ca76ccec958f9480ee5c013a9c89464a6");
    expect(digestOf("two")).not.toBe(digestOf("one"));
  });

  it.each([
    ['"a \\"b\\""', 'a "b"'],
    ["-1.5", -1.5],
    ["null", null],
    ["n", 7],
    ['same("drawn")', "before"],
    ['join("P", padded(3), "-", n)', "P007-7"],
    ['pick(join("x", n))', "x7"],
    ['chance(0, 1, chance(1, "second"))', "second"],
  ])("understand %s", (text, value) => {
    expect(readValue(text)(row())).toBe(value);
  });

  it.each([
    { shown: "a moment", field: new Date("2026-01-02T03:04:05Z"), value: "2026-01-02 03:04:05" },
    { shown: "yes", field: true, value: 1 },
    { shown: "nothing", field: undefined, value: null },
  ])("write $shown of what a row is for as a server takes it", ({ field, value }) => {
    expect(readValue('item("field")')(row({ item: { field } }))).toBe(value);
  });

  it.each(["nobody", "nobody(1)", "join(", 'join("a" "b")', "join(n,)", "n n", "", ")", "'a'"])(
    "refuse the value %j, which they do not understand",
    (text) => {
      expect(() => readValue(text)).toThrow(/is not understood in/);
    },
  );
});
