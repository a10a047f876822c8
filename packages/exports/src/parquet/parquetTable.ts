import type { ColumnBuffer } from "./columnBuffer.ts";
import type { ColumnType } from "./columnType.ts";
import { PageBuffers } from "./pageBuffers.ts";
import { type FileSink, ParquetWriter } from "./parquetWriter.ts";

/** What a table made row by row can have: text, a whole number, a moment. */
export type TableType = "text" | "integer" | "timestamp";
export type TableValue = string | number | bigint | Date | null;

const types: Readonly<Record<TableType, ColumnType>> = {
  text: { physical: "BYTE_ARRAY", logical: { kind: "string" } },
  integer: { physical: "INT64" },
  timestamp: { physical: "INT64", logical: { kind: "timestamp", utc: true } },
};

const add = (column: ColumnBuffer, value: TableValue): void => {
  if (value === null) column.addNull();
  else if (typeof value === "string") addText(column, value);
  else addWhole(column, value);
};

const addText = (column: ColumnBuffer, value: string): void => {
  const at = column.room(4 + 3 * value.length);
  const length = column.bytes.write(value, at + 4, "utf8");
  column.bytes.writeUInt32LE(length, at);
  column.used = at + 4 + length;
  column.rows++;
};

const addWhole = (column: ColumnBuffer, value: number | bigint | Date): void => {
  const at = column.room(8);
  const whole = value instanceof Date ? value.getTime() * 1000 : value;
  if (typeof whole === "number" && Number.isSafeInteger(whole)) {
    column.bytes.writeInt32LE(whole | 0, at);
    column.bytes.writeInt32LE(Math.floor(whole / 2 ** 32), at + 4);
  } else if (value instanceof Date) column.bytes.writeBigInt64LE(BigInt(value.getTime()) * 1000n, at);
  else column.bytes.writeBigInt64LE(BigInt(value), at);
  column.used = at + 8;
  column.rows++;
};

/** A Parquet file that is being made. */
export interface ParquetTable {
  /** @returns set where the next row has to wait */
  add(row: readonly TableValue[]): Promise<void> | undefined;
  /** Nothing is added after it. */
  finish(): Promise<Buffer>;
}

/**
 * A Parquet file in memory of rows that JavaScript has. They are encoded as they come, so that none is kept. For inventories and
 * the like: rows of a database go another way.
 *
 * @param buffers where several are made one after the other
 */
export const parquetTable = (
  columns: readonly { readonly name: string; readonly type: TableType }[],
  buffers = new PageBuffers(),
): ParquetTable => {
  const written: Buffer[] = [];
  const sink: FileSink = { write: (bytes) => void written.push(bytes), end: async () => undefined };
  const writer = new ParquetWriter(
    columns.map(({ name, type }) => ({ name, type: types[type] })),
    { open: () => sink, fileBytes: Number.POSITIVE_INFINITY, buffers },
  );
  return {
    add: (row) => {
      let bytes = 0;
      for (let index = 0; index < writer.columns.length; index++) {
        const value = row[index] ?? null;
        add(writer.columns[index] as ColumnBuffer, value);
        bytes += typeof value === "string" ? value.length : 8;
      }
      return writer.endRow(bytes);
    },
    finish: async () => {
      await writer.finish();
      return Buffer.concat(written);
    },
  };
};
