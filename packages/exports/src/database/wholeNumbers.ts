import { type ColumnBuffer, firstValue } from "../parquet/columnBuffer.ts";

const low = 2 ** 32;

/** Adds the 64-bit number `high` * 2³² + `rest`; `rest` may be more than 32 bits long. */
const add64 = (column: ColumnBuffer, high: number, rest: number): void => {
  const at = column.room(8);
  const index = (at - firstValue) >> 2;
  const carry = Math.floor(rest / low);
  column.int32[index] = rest - carry * low;
  column.int32[index + 1] = high + carry;
  column.used = at + 8;
  column.rows++;
};

/**
 * Adds `value` * 1,000,000 + `micros`, exactly, without a BigInt a value.
 *
 * @param value seconds, positive or not, of less than 2³⁸
 * @param micros less than a million, not negative
 */
export const addMicros = (column: ColumnBuffer, value: number, micros: number): void => {
  const parts = value * 15_625; // of 64: exact below 2⁵³
  const high = Math.floor(parts / 2 ** 26);
  add64(column, high, (parts - high * 2 ** 26) * 64 + micros);
};

/** Adds a number of at most 18 digits, as `upper` * 10⁹ + `lower`, exactly. */
const addBillions = (column: ColumnBuffer, upper: number, lower: number): void => {
  const parts = upper * 1_953_125; // of 512
  const high = Math.floor(parts / 2 ** 23);
  add64(column, high, (parts - high * 2 ** 23) * 512 + lower);
};

const minus = 45;
const point = 46;
const zero = 48;

// The number that `readDigits` read, in two parts of less than 10⁹ each: a pair of them would be an object a value.
let upper = 0;
let lower = 0;

const addDigit = (digit: number): void => {
  if (lower >= 1e8) {
    const first = Math.floor(lower / 1e8);
    upper = upper * 10 + first;
    lower -= first * 1e8;
  } else upper *= 10;
  lower = lower * 10 + digit;
};

/**
 * Reads decimal digits of a text as a whole number: 12.30 is 1230 where the scale is 2.
 *
 * @returns whether it is a number of that scale
 */
const readDigits = (bytes: Buffer, from: number, to: number, scale: number): boolean => {
  upper = 0;
  lower = 0;
  let behind = -1; // digits behind the point; -1 before it
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === point && behind < 0) behind = 0;
    else if (byte < zero || byte > zero + 9) return false;
    else {
      addDigit(byte - zero);
      if (behind >= 0) behind++;
    }
  }
  for (behind = Math.max(behind, 0); behind < scale; behind++) addDigit(0);
  return from < to && behind === scale && upper < 1e9;
};

/** The number that a decimal's text has without its point. @throws {RangeError} the text is no number of this scale */
const unscaled = (text: string, scale: number): bigint => {
  const [whole = "", fraction = ""] = text.split(".");
  if (!/^-?\d+$/.test(whole) || !/^\d*$/.test(fraction) || fraction.length > scale)
    throw new RangeError("a decimal has another form than its column");
  const digits = BigInt(`${whole.replace("-", "")}${fraction.padEnd(scale, "0")}`);
  return whole.startsWith("-") ? -digits : digits;
};

/** Adds a number as `length` bytes, highest first, in two's complement: Parquet's form of a long decimal. */
const addFixed = (column: ColumnBuffer, value: bigint, length: number): void => {
  const at = column.room(length);
  let rest = value;
  for (let index = at + length - 1; index >= at; index--) {
    column.bytes[index] = Number(BigInt.asUintN(8, rest));
    rest >>= 8n;
  }
  column.used = at + length;
  column.rows++;
};

/** Adds the decimal whose text is from `from` to `to`. @throws {RangeError} it does not fit its column */
export const addDecimal = (column: ColumnBuffer, bytes: Buffer, from: number, to: number, scale: number): void => {
  const { physical, length = 0 } = column.type;
  if (physical === "FIXED_LEN_BYTE_ARRAY")
    addFixed(column, unscaled(bytes.toString("latin1", from, to), scale), length);
  else addShort(column, bytes, from, to, scale);
};

const addShort = (column: ColumnBuffer, bytes: Buffer, from: number, to: number, scale: number): void => {
  const { physical } = column.type;
  const negative = bytes[from] === minus;
  const isRead = readDigits(bytes, negative ? from + 1 : from, to, scale);
  if (!isRead || (physical === "INT32" && upper > 0))
    throw new RangeError("a decimal has another form than its column");
  const sign = negative ? -1 : 1;
  if (physical === "INT64") {
    addBillions(column, sign * upper, sign * lower);
    return;
  }
  const at = column.room(4);
  column.int32[(at - firstValue) >> 2] = sign * lower;
  column.used = at + 4;
  column.rows++;
};
