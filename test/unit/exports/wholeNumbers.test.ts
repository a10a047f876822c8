import { addDecimal, addMicros } from "@openemr-ops/exports/database/wholeNumbers";
import { ColumnBuffer, firstValue } from "@openemr-ops/exports/parquet/columnBuffer";
import type { ColumnType } from "@openemr-ops/exports/parquet/columnType";
import { PageBuffers } from "@openemr-ops/exports/parquet/pageBuffers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const columnOf = (type: ColumnType) => new ColumnBuffer(type, new PageBuffers());

describe("moments", () => {
  it("are whole numbers of microseconds, exactly, without a BigInt on the way", () => {
    const seconds = fc.oneof(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.constantFrom(-1, 0, 1));
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 999_999 }), (whole, micros) => {
        const column = columnOf({ physical: "INT64" });
        addMicros(column, whole, micros);
        expect(column.bytes.readBigInt64LE(firstValue)).toBe(BigInt(whole) * 1_000_000n + BigInt(micros));
      }),
    );
  });
});

describe("decimals", () => {
  const decimals = (precision: number, scale: number) =>
    fc.bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n }).map((unscaled) => {
      const digits = `${unscaled < 0n ? -unscaled : unscaled}`.padStart(scale + 1, "0");
      const whole = digits.slice(0, digits.length - scale);
      const text = `${unscaled < 0n ? "-" : ""}${whole}${scale > 0 ? `.${digits.slice(-scale)}` : ""}`;
      return { unscaled, text };
    });
  const add = (type: ColumnType, text: string, scale: number) => {
    const column = columnOf(type);
    const bytes = Buffer.from(`..${text}..`);
    addDecimal(column, bytes, 2, 2 + text.length, scale);
    return column;
  };

  it.each([
    { physical: "INT32", precision: 9, read: (bytes: Buffer) => BigInt(bytes.readInt32LE(firstValue)) },
    { physical: "INT64", precision: 18, read: (bytes: Buffer) => bytes.readBigInt64LE(firstValue) },
    {
      physical: "FIXED_LEN_BYTE_ARRAY",
      precision: 38,
      read: (bytes: Buffer) =>
        BigInt.asIntN(128, (bytes.readBigUInt64BE(firstValue) << 64n) | bytes.readBigUInt64BE(firstValue + 8)),
    },
  ] as const)("of $precision digits keep each of them as $physical", ({ physical, precision, read }) => {
    const type: ColumnType = physical === "FIXED_LEN_BYTE_ARRAY" ? { physical, length: 16 } : { physical };
    const scaled = fc
      .integer({ min: 0, max: precision })
      .chain((scale) => decimals(precision, scale).map((one) => ({ ...one, scale })));
    fc.assert(
      fc.property(scaled, ({ unscaled, text, scale }) => {
        expect(read(add(type, text, scale).bytes)).toBe(unscaled);
      }),
    );
  });

  it.each(["1.234", "12a", "1.2.3", "12345678901234567890", "- 1", ""])(
    "that are no numbers of their column are refused: %s",
    (text) => {
      expect(() => add({ physical: "INT32" }, text, 2)).toThrow(RangeError);
    },
  );
});
