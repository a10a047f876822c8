import { zstdDecompressSync } from "node:zlib";
import { parquetTable, type TableValue } from "@openemr-ops/exports/parquet/parquetTable";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";

const columns = [
  { name: "path", type: "text" },
  { name: "odd name, (é)", type: "integer" },
  { name: "at", type: "timestamp" },
] as const;

const read = async (rows: readonly (readonly TableValue[])[]) => {
  const table = parquetTable(columns);
  for (const row of rows) await table.add(row);
  const bytes = await table.finish();
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return parquetReadObjects({
    file,
    compressors: {
      ZSTD: (input, length) => new Uint8Array(zstdDecompressSync(input, { maxOutputLength: length + 1 })),
    },
  });
};

const asObjects = (rows: readonly (readonly TableValue[])[]) =>
  rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));

const row = fc.tuple(
  fc.option(fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.toWellFormed())),
  fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  fc.option(fc.date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") })),
);

describe("a table made row by row", () => {
  it("is read back as it was by another's reader, whatever its rows", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), async (rows) => {
        expect(await read(rows)).toEqual(asObjects(rows));
      }),
      { numRuns: 100 },
    );
  });

  it("has many pages and row groups where it is long", async () => {
    const rows = Array.from({ length: 150_000 }, (_, index): TableValue[] => [
      index % 7 === 0 ? null : `file ${index} ${"x".repeat(index % 50)}`,
      BigInt(index),
      null,
    ]);

    const found = await read(rows);

    expect(found).toHaveLength(rows.length);
    for (const [index, each] of found.entries())
      if (each.path !== rows[index]?.[0] || each["odd name, (é)"] !== rows[index]?.[1] || each.at !== null)
        expect.fail(`row ${index} is another`);
  });

  it("is whole with a value longer than a page", async () => {
    const long = "ä".repeat(3_000_000);
    const rows = [
      ["before", 1n, null],
      [long, 2n, null],
      [null, null, null],
      ["after", 3n, null],
    ] as const;

    const found = await read(rows);

    expect(found.map(({ path }) => path === long || path)).toEqual(["before", true, null, "after"]);
  });
});
