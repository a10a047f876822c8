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
  else if (typeof value === "string") column.addBytes(Buffer.from(value));
  else addWhole(column, value);
};

const addWhole = (column: ColumnBuffer, value: number | bigint | Date): void => {
  const whole = value instanceof Date ? BigInt(value.getTime()) * 1000n : BigInt(value);
  const at = column.room(8);
  column.bytes.writeBigInt64LE(whole, at);
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
      for (const [index, column] of writer.columns.entries()) {
        const value = row[index] ?? null;
        add(column, value);
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
