/**
 * A value of Thrift's compact protocol, in which Parquet has its headers and footer. A struct is a list of its fields: number and
 * value; those without a value are left out.
 *
 * Source: Apache Thrift, "Thrift Compact protocol encoding".
 */
export type ThriftValue =
  | { readonly i8: number }
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly bool: boolean }
  | { readonly binary: string | Uint8Array }
  | { readonly list: readonly ThriftValue[] }
  | ThriftStruct;
export interface ThriftStruct {
  readonly struct: readonly (readonly [field: number, value: ThriftValue | undefined])[];
}

const types = { true: 1, false: 2, i8: 3, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

const typeOf = (value: ThriftValue): number => {
  if ("bool" in value) return value.bool ? types.true : types.false;
  const [name = ""] = Object.keys(value);
  return types[name as keyof typeof types];
};

/** Seven bits a byte, lowest first; the highest bit says that more follow. */
const varint = (out: number[], value: number): void => {
  let rest = value;
  while (rest > 127) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
};
/** Negative numbers are none of those that we write beside statistics, which are bytes. */
const zigzag = (out: number[], value: number): void => varint(out, value * 2);

const writeList = (out: number[], list: readonly ThriftValue[]): void => {
  const type = list[0] ? typeOf(list[0]) : types.struct;
  if (list.length < 15) out.push((list.length << 4) | type);
  else {
    out.push(0xf0 | type);
    varint(out, list.length);
  }
  for (const value of list) write(out, value);
};

const write = (out: number[], value: ThriftValue): void => {
  if ("struct" in value) writeStruct(out, value);
  else if ("list" in value) writeList(out, value.list);
  else if ("i8" in value) out.push(value.i8);
  else if ("i32" in value) zigzag(out, value.i32);
  else if ("i64" in value) zigzag(out, value.i64);
  else if ("binary" in value) {
    const bytes = typeof value.binary === "string" ? Buffer.from(value.binary) : value.binary;
    varint(out, bytes.length);
    for (const byte of bytes) out.push(byte);
  }
};

const writeStruct = (out: number[], { struct }: ThriftStruct): void => {
  let before = 0;
  for (const [field, value] of struct) {
    if (value === undefined) continue;
    out.push(((field - before) << 4) | typeOf(value)); // our fields are in order, and never more than 15 apart
    before = field;
    write(out, value);
  }
  out.push(0);
};

export const thriftBytes = (value: ThriftStruct): Buffer => {
  const out: number[] = [];
  writeStruct(out, value);
  return Buffer.from(out);
};
