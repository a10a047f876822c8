import type { Readable } from "node:stream";
import { toOpsError } from "@openemr-ops/core/errors";
import type { ColumnBuffer } from "./columnBuffer.ts";
import type { ColumnType } from "./columnType.ts";
import { ParquetWriter } from "./parquetWriter.ts";
import { streamSink } from "./streamSink.ts";

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

/**
 * A Parquet file of rows that JavaScript has, as a stream. For inventories and the like: rows of a database go another way.
 *
 * @throws through the stream: what `rows` threw
 */
export const parquetTable = (
  columns: readonly { readonly name: string; readonly type: TableType }[],
  rows: Iterable<readonly TableValue[]> | AsyncIterable<readonly TableValue[]>,
): Readable => {
  const sink = streamSink();
  const writer = new ParquetWriter(
    columns.map(({ name, type }) => ({ name, type: types[type] })),
    { open: () => sink, fileBytes: Number.POSITIVE_INFINITY },
  );
  const run = async (): Promise<void> => {
    for await (const row of rows) {
      let bytes = 0;
      for (let index = 0; index < writer.columns.length; index++) {
        const value = row[index] ?? null;
        add(writer.columns[index] as ColumnBuffer, value);
        bytes += typeof value === "string" ? value.length : 8;
      }
      const waiting = writer.endRow(bytes);
      if (waiting) await waiting;
    }
    await writer.finish();
  };
  run().catch((error: unknown) => sink.fail(error instanceof Error ? error : toOpsError(error)));
  return sink.stream;
};
