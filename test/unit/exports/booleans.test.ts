import { zstdDecompressSync } from "node:zlib";
import { booleanCell } from "@openemr-ops/exports/database/cellReaders";
import { ParquetWriter } from "@openemr-ops/exports/parquet/parquetWriter";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { describe, expect, it } from "vitest";

type Cell = boolean | null;

/** Writes the values as an export does, from bytes of the protocol, and reads them by another's reader. */
const roundTrip = async (values: readonly Cell[], groupBytes?: number) => {
  const written: Buffer[] = [];
  const sink = { write: (bytes: Buffer) => void written.push(bytes), end: async () => {} };
  const writer = new ParquetWriter([{ name: "flag", type: { physical: "BOOLEAN" } }], {
    open: () => sink,
    ...(groupBytes === undefined ? {} : { groupBytes }),
  });
  const [column] = writer.columns;
  if (!column) throw new RangeError("a writer has its column");
  const read = booleanCell(column);
  for (const value of values) {
    if (value === null) column.addNull();
    else read(Buffer.of(value ? 1 : 0), 0);
    await writer.endRow(1);
  }
  await writer.finish();
  const bytes = Buffer.concat(written);
  const rows = await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    compressors: {
      ZSTD: (input, length) => new Uint8Array(zstdDecompressSync(input, { maxOutputLength: length + 1 })),
    },
  });
  return rows.map(({ flag }) => flag as Cell);
};

describe("a column of booleans", () => {
  it("is read back as it was by another's reader, whatever its values and row groups", async () => {
    const cells = fc.array(fc.option(fc.boolean()), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(cells, fc.integer({ min: 1, max: 40 }), async (values, groupBytes) => {
        expect(await roundTrip(values, groupBytes)).toEqual(values);
      }),
      { numRuns: 200 },
    );
  });

  it("is whole over many row groups", async () => {
    const values = Array.from({ length: 140_001 }, (_, index): Cell => (index % 11 === 0 ? null : index % 3 === 0));
    const found = await roundTrip(values);
    expect(found).toHaveLength(values.length);
    expect(found.findIndex((value, index) => value !== values[index])).toBe(-1);
  });

  it("takes no other number for one", async () => {
    const writer = new ParquetWriter([{ name: "flag", type: { physical: "BOOLEAN" } }], {
      open: () => ({ write: () => undefined, end: async () => {} }),
    });
    const [column] = writer.columns;
    if (!column) throw new RangeError("a writer has its column");
    expect(() => booleanCell(column)(Buffer.of(2), 0)).toThrow("a value is neither 0 nor 1");
  });
});
