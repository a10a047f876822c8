import { jsonNumbers } from "@openemr-ops/database/jsonNumbers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const meaningOf = (rows: string, isJson: readonly boolean[] = [false, true], cut = rows.length): string => {
  const numbers = jsonNumbers(isJson);
  const bytes = Buffer.from(rows);
  return [bytes.subarray(0, cut), bytes.subarray(cut)].map((run) => numbers.take(run).toString()).join("");
};
const rowWith = (json: string): string => `(1,'${json}'),\n`;

describe("a number in JSON", () => {
  it.each([
    ["1.50", "1.5"],
    ["-0.10", "-1.0e-1"],
    ["0.1000000000000000055511151231257827", "0.1"],
    ["12345678901234567890123", "1.2345678901234568e22"],
    ["18446744073709551616", "1.8446744073709552e19"],
    ["5.00", "5.0"],
    ["1e2", "100.0"],
  ])("is the same as another text of it: %s and %s", (one, other) => {
    for (const json of [(number: string) => number, (number: string) => `[${number}, {\\"a\\": ${number}}]`])
      expect(meaningOf(rowWith(json(one)))).toBe(meaningOf(rowWith(json(other))));
  });

  it.each([
    ["5", "5.0"],
    ["18446744073709551615", "18446744073709551614"],
    ["9007199254740993", "9007199254740992"],
    ["1.5", "1.5000000000000002"],
    ["-0.0", "0.0"],
    ["1", "-1"],
  ])("is another than %s where it is %s", (one, other) => {
    expect(meaningOf(rowWith(one))).not.toBe(meaningOf(rowWith(other)));
  });

  it.each([
    ["a string of JSON", '[\\"1.50\\"]'],
    ["a string of JSON behind quotes", '[\\"it\\\'s \\\\\\" 2.50\\", \\"\\\\\\\\\\", \\"1.50\\"]'],
  ])("is left as it is in %s", (_, json) => {
    expect(meaningOf(rowWith(json))).toBe(rowWith(json));
  });

  it("is left as it is in other columns", () => {
    const rows = "('1.50',1.50,'{\\\"a\\\": 2.50}',0x00,NULL),\n('1.50',1.50,'[]','(,2.50',NULL);\n";

    expect(meaningOf(rows, [false, false, true, false, false])).toBe(rows.replace('": 2.50', '": 2.5'));
  });

  it("is neither gathered nor computed with where it is longer than any of MySQL's", () => {
    const numbers = jsonNumbers([true]);
    const digits = Buffer.alloc(1_000_000, "7");
    const runs = [Buffer.from("('["), ...Array(50).fill(digits), Buffer.from(".50, 1.50]'),\n")];
    const told = runs.map((run) => numbers.take(run).toString()).join("");

    expect(told.length).toBe(50_000_000 + 16);
    expect(told.endsWith("7.50, 1.5]'),\n")).toBe(true);
  });

  it("is read whole wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.nat(70), (cut) => {
        const rows = "(1,'[1.50, -20.500e1, \\\"1.50\\\"]'),\n(2,'3.1400');\n";
        expect(meaningOf(rows, [false, true], Math.min(cut, rows.length))).toBe(
          "(1,'[1.5, -205.0, \\\"1.50\\\"]'),\n(2,'3.14');\n",
        );
      }),
    );
  });
});
