import type { ResultField } from "@openemr-ops/database/binaryRows";
import type { ColumnBuffer } from "../parquet/columnBuffer.ts";
import type { ColumnType } from "../parquet/columnType.ts";
import type { TableColumn } from "../profiles/profile.ts";
import {
  bitCell,
  booleanCell,
  bytesCell,
  dateCell,
  decimalCell,
  fixedBytesCell,
  integerCell,
  type Losses,
  momentCell,
  type ReadCell,
  sameCell,
  textCell,
  timeCell,
  unsigned64Cell,
} from "./cellReaders.ts";

/** The type of a column of a result in Parquet, and how its values get there. */
export interface ResultType {
  readonly type: ColumnType;
  /** In words where the type alone does not say it. */
  readonly note?: string;
  readonly reader: (column: ColumnBuffer, losses: Losses) => ReadCell;
}

const unsignedFlag = 32;
const binaryCharacterSet = 63;

const int32: ColumnType = { physical: "INT32" };
const int64: ColumnType = { physical: "INT64" };
const text: ColumnType = { physical: "BYTE_ARRAY", logical: { kind: "string" } };
const bytes: ColumnType = { physical: "BYTE_ARRAY" };
const unsigned64: ColumnType = {
  physical: "FIXED_LEN_BYTE_ARRAY",
  length: 9,
  logical: { kind: "decimal", precision: 20, scale: 0 },
};

const integer = (width: 1 | 2 | 4, unsigned: boolean): ResultType => ({
  type: width === 4 && unsigned ? int64 : int32,
  reader: (column) => integerCell(column, width, unsigned),
});

const longest = 38;

/** @param precision digits in all */
const decimal = (precision: number, scale: number): ResultType => {
  if (precision > longest)
    return { type: text, note: `decimal of more than ${longest} digits, as text`, reader: textCell };
  const logical = { kind: "decimal", precision, scale } as const;
  const type: ColumnType =
    precision <= 9
      ? { physical: "INT32", logical }
      : precision <= 18
        ? { physical: "INT64", logical }
        : { physical: "FIXED_LEN_BYTE_ARRAY", length: 16, logical };
  return { type, reader: (column) => decimalCell(column, scale) };
};

const bit = (bits: number): ResultType => ({
  type: bits < 32 ? int32 : bits < 64 ? int64 : unsigned64,
  note: "bits as the number that they are",
  reader: bitCell,
});

/** As a boolean, what is 0 or 1; nothing where a result is no number of one byte. */
export const booleanType = ({ columnType }: ResultField): ResultType | undefined =>
  columnType === 1 ? { type: { physical: "BOOLEAN" }, reader: booleanCell } : undefined;

const fixed = (length: number): ResultType => ({
  type: { physical: "FIXED_LEN_BYTE_ARRAY", length },
  reader: fixedBytesCell,
});

const asText: ResultType = { type: text, reader: textCell };
const asBytes: ResultType = { type: bytes, reader: bytesCell };

/** `BINARY(n)`: each value has n bytes. That a result is so long at most says nothing of each value. */
const fixedLength = (column: TableColumn | undefined): number => {
  const [, length] = /^binary\((\d+)\)$/i.exec(column?.columnType ?? "") ?? [];
  return Number(length ?? 0);
};

/** Numbers of types. Source: MariaDB knowledge base, "Result Set Packets", field types; MySQL's `field_types.h`. */
const types: Readonly<Record<number, (field: ResultField, unsigned: boolean, column?: TableColumn) => ResultType>> = {
  0: ({ columnLength, decimals }, unsigned) => decimal(precisionOf(columnLength, decimals, unsigned), decimals),
  1: (_, unsigned) => integer(1, unsigned),
  2: (_, unsigned) => integer(2, unsigned),
  3: (_, unsigned) => integer(4, unsigned),
  4: () => ({ type: { physical: "FLOAT" }, reader: (column) => sameCell(column, 4) }),
  5: () => ({ type: { physical: "DOUBLE" }, reader: (column) => sameCell(column, 8) }),
  7: () => moment(true),
  8: (_, unsigned) =>
    unsigned
      ? { type: unsigned64, note: "unsigned, as decimal", reader: unsigned64Cell }
      : { type: int64, reader: (column) => sameCell(column, 8) },
  9: () => integer(4, false), // three bytes, sent as four
  10: () => ({ type: { physical: "INT32", logical: { kind: "date" } }, reader: dateCell }),
  11: () => ({ type: int64, note: "microseconds; may be negative, or a day and more", reader: timeCell }),
  12: () => moment(false),
  13: () => integer(2, true), // YEAR
  16: ({ columnLength }) => bit(columnLength),
  242: () => asBytes, // VECTOR
  245: () => asText, // JSON, which says that it is bytes
  246: ({ columnLength, decimals }, unsigned) => decimal(precisionOf(columnLength, decimals, unsigned), decimals),
  255: () => ({ ...asBytes, note: "geometry: four bytes of its system of reference, then WKB" }),
};

const moment = (utc: boolean): ResultType => ({
  type: { physical: "INT64", logical: { kind: "timestamp", utc } },
  reader: momentCell,
});

/** A decimal's length in characters has room for a sign and a point. */
const precisionOf = (length: number, scale: number, unsigned: boolean): number =>
  length - (unsigned ? 0 : 1) - (scale > 0 ? 1 : 0);

/**
 * The type of a result's column in Parquet. No unsigned types, which Athena and older Spark cannot read: the next longer
 * signed one, and a decimal of 20 digits for 64 bits.
 *
 * @param column of the table, where the result is nothing else
 */
export const resultType = (field: ResultField, column?: TableColumn): ResultType => {
  const known = types[field.columnType]?.(field, (field.flags & unsignedFlag) > 0, column);
  if (known) return known;
  if (field.characterSet !== binaryCharacterSet) return asText;
  const length = fixedLength(column);
  return length > 0 ? fixed(length) : asBytes;
};
