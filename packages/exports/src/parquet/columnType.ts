import type { ThriftStruct, ThriftValue } from "./thrift.ts";

/** Physical types, by their numbers in Parquet's `Type`. */
export const physical = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const;
export type Physical = keyof typeof physical;

export type Logical =
  | { readonly kind: "string" }
  | { readonly kind: "date" }
  /** Microseconds; `utc` for a moment, without it what a clock on the wall showed. */
  | { readonly kind: "timestamp"; readonly utc: boolean }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number };

/** A column of a Parquet file. There are no unsigned ones: Athena and older Spark read them wrong or not at all. */
export interface ColumnType {
  readonly physical: Physical;
  /** Of FIXED_LEN_BYTE_ARRAY. */
  readonly length?: number;
  readonly logical?: Logical;
}

export interface ParquetColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * Bytes of a value in the PLAIN encoding; 0 for those that say their length themselves. A boolean is a byte until its page ends,
 * and a bit then.
 */
export const widthOf = ({ physical, length = 0 }: ColumnType): number =>
  ({ BOOLEAN: 1, INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8, BYTE_ARRAY: 0, FIXED_LEN_BYTE_ARRAY: length })[physical];

const empty: ThriftStruct = { struct: [] };
const converted = { UTF8: 0, DECIMAL: 5, DATE: 6, TIMESTAMP_MICROS: 10 } as const;

/**
 * What the schema says of a column beside its physical type. The older form (`converted_type`) is written where it means the
 * same. Source: Apache Parquet, `parquet.thrift` and "Logical Types".
 */
const meaning = (
  logical: Logical | undefined,
): { converted?: number; scale?: number; precision?: number; logical?: ThriftStruct } => {
  if (!logical) return {};
  if (logical.kind === "string") return { converted: converted.UTF8, logical: { struct: [[1, empty]] } };
  if (logical.kind === "date") return { converted: converted.DATE, logical: { struct: [[6, empty]] } };
  if (logical.kind === "decimal") {
    const { scale, precision } = logical;
    const decimal: ThriftStruct = {
      struct: [
        [1, { i32: scale }],
        [2, { i32: precision }],
      ],
    };
    return { converted: converted.DECIMAL, scale, precision, logical: { struct: [[5, decimal]] } };
  }
  const micros: ThriftStruct = { struct: [[2, empty]] };
  const timestamp: ThriftStruct = {
    struct: [
      [1, { bool: logical.utc }],
      [2, micros],
    ],
  };
  return {
    ...(logical.utc ? { converted: converted.TIMESTAMP_MICROS } : {}),
    logical: { struct: [[8, timestamp]] },
  };
};

const i32 = (value: number | undefined): ThriftValue | undefined => (value === undefined ? undefined : { i32: value });
const optional = 1;

/** Every column may be NULL: that of a NOT NULL column of dates is where the date is none. */
export const schemaElement = ({ name, type }: ParquetColumn): ThriftStruct => {
  const { converted: older, scale, precision, logical } = meaning(type.logical);
  return {
    struct: [
      [1, { i32: physical[type.physical] }],
      [2, i32(type.length)],
      [3, { i32: optional }],
      [4, { binary: name }],
      [6, i32(older)],
      [7, i32(scale)],
      [8, i32(precision)],
      [10, logical],
    ],
  };
};

export const schemaOf = (columns: readonly ParquetColumn[]): readonly ThriftStruct[] => [
  {
    struct: [
      [4, { binary: "schema" }],
      [5, { i32: columns.length }],
    ],
  },
  ...columns.map(schemaElement),
];
