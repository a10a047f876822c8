import { isUtf8 } from "node:buffer";
import { type ColumnBuffer, firstValue } from "../parquet/columnBuffer.ts";
import { longBytes } from "../parquet/page.ts";
import { addDecimal, addMicros } from "./wholeNumbers.ts";

/** Takes the value that begins at `at` and returns where the next one begins. */
export type ReadCell = (bytes: Buffer, at: number) => number;

/** What could not be kept of a column's values. */
export interface Losses {
  /** Dates with a zero in them, or of a day that does not exist, which are NULL now. */
  nulledDates: number;
  /** Texts with bytes that are no UTF-8, in place of which is U+FFFD now. */
  replacedTexts: number;
}

// Where a value begins that says its length itself, and where it ends: set by `measure`. A pair of them would be an object a value.
let from = 0;
let to = 0;

/** Reads a length. Source: MariaDB knowledge base, "Protocol Data Types", length encoded integer. */
const measure = (bytes: Buffer, at: number): void => {
  const first = bytes[at] as number;
  if (first < 251) {
    from = at + 1;
    to = from + first;
  } else if (first === 252) {
    from = at + 3;
    to = from + bytes.readUInt16LE(at + 1);
  } else if (first === 253) {
    from = at + 4;
    to = from + bytes.readUIntLE(at + 1, 3);
  } else {
    from = at + 9;
    to = from + Number(bytes.readBigUInt64LE(at + 1));
  }
};

const putLength = (to: Buffer, at: number, length: number): void => {
  to[at] = length & 255;
  to[at + 1] = (length >> 8) & 255;
  to[at + 2] = (length >> 16) & 255;
  to[at + 3] = length >>> 24;
};

/** Up to here a loop is faster than a call. */
const short = 160;

const repaired = (bytes: Buffer, start: number, end: number): Buffer => Buffer.from(bytes.toString("utf8", start, end));

const longText = (column: ColumnBuffer, losses: Losses, text: Buffer, end: number): number => {
  if (isUtf8(text)) column.addLong(text);
  else {
    losses.replacedTexts++;
    column.addLong(repaired(text, 0, text.length));
  }
  return end;
};

/** Text in UTF-8, with what is none replaced and counted. */
export const textCell =
  (column: ColumnBuffer, losses: Losses): ReadCell =>
  (bytes, at) => {
    measure(bytes, at);
    const end = to;
    const length = end - from;
    if (length >= longBytes) return longText(column, losses, bytes.subarray(from, end), end);
    const place = column.room(4 + length);
    const target = column.bytes;
    putLength(target, place, length);
    let seen = 0;
    if (length <= short) {
      let put = place + 4;
      for (let index = from; index < end; index++) {
        const byte = bytes[index] as number;
        target[put++] = byte;
        seen |= byte;
      }
    } else {
      bytes.copy(target, place + 4, from, end);
      seen = 128;
    }
    if (seen > 127 && !isUtf8(bytes.subarray(from, end))) {
      losses.replacedTexts++;
      column.addBytes(repaired(bytes, from, end));
      return end;
    }
    column.used = place + 4 + length;
    column.rows++;
    return end;
  };

export const bytesCell =
  (column: ColumnBuffer): ReadCell =>
  (bytes, at) => {
    measure(bytes, at);
    const length = to - from;
    if (length >= longBytes) {
      column.addLong(bytes.subarray(from, to));
      return to;
    }
    const place = column.room(4 + length);
    putLength(column.bytes, place, length);
    bytes.copy(column.bytes, place + 4, from, to);
    column.used = place + 4 + length;
    column.rows++;
    return to;
  };

/** @throws {RangeError} a value has another length */
export const fixedBytesCell = (column: ColumnBuffer): ReadCell => {
  const { length = 0 } = column.type;
  return (bytes, at) => {
    measure(bytes, at);
    if (to - from !== length) throw new RangeError(`a value has ${to - from} bytes where each has ${length}`);
    const place = column.room(length);
    bytes.copy(column.bytes, place, from, to);
    column.used = place + length;
    column.rows++;
    return to;
  };
};

export const transformedCell =
  (column: ColumnBuffer, transform: (text: Buffer) => string | undefined): ReadCell =>
  (bytes, at) => {
    measure(bytes, at);
    const end = to;
    const result = transform(bytes.subarray(from, end));
    if (result === undefined) column.addNull();
    else column.addBytes(Buffer.from(result));
    return end;
  };

const add32 = (column: ColumnBuffer, value: number): void => {
  const place = column.room(4);
  column.int32[(place - firstValue) >> 2] = value;
  column.used = place + 4;
  column.rows++;
};

/** Whole numbers of one, two or four bytes, made as long as the column's. */
export const integerCell = (column: ColumnBuffer, width: 1 | 2 | 4, unsigned: boolean): ReadCell => {
  const shift = unsigned ? 0 : 32 - 8 * width;
  if (column.type.physical === "INT64")
    return (bytes, at) => {
      const place = column.room(8);
      const index = (place - firstValue) >> 2;
      column.int32[index] = bytes.readInt32LE(at);
      column.int32[index + 1] = 0; // four bytes without a sign
      column.used = place + 8;
      column.rows++;
      return at + 4;
    };
  return (bytes, at) => {
    let value = bytes[at] as number;
    if (width > 1) value |= (bytes[at + 1] as number) << 8;
    if (width > 2) value |= ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    add32(column, (value << shift) >> shift);
    return at + width;
  };
};

/** A number of one byte as a boolean. @throws {RangeError} it is another than 0 and 1 */
export const booleanCell =
  (column: ColumnBuffer): ReadCell =>
  (bytes, at) => {
    const value = bytes[at] as number;
    if (value > 1) throw new RangeError("a value is neither 0 nor 1");
    const place = column.room(1);
    column.bytes[place] = value;
    column.used = place + 1;
    column.rows++;
    return at + 1;
  };

/** Values that are in Parquet as they are in the protocol: FLOAT, DOUBLE, BIGINT. */
export const sameCell =
  (column: ColumnBuffer, width: 4 | 8): ReadCell =>
  (bytes, at) => {
    const place = column.room(width);
    const target = column.bytes;
    for (let index = 0; index < width; index++) target[place + index] = bytes[at + index] as number;
    column.used = place + width;
    column.rows++;
    return at + width;
  };

/** Bytes of an unsigned number of 64 bits as a decimal of nine: highest first, and no sign. */
const unsigned64Bytes = 9;
const startUnsigned64 = (column: ColumnBuffer): number => {
  const place = column.room(unsigned64Bytes);
  column.bytes.fill(0, place, place + unsigned64Bytes);
  column.used = place + unsigned64Bytes;
  column.rows++;
  return place;
};

/** BIGINT UNSIGNED. */
export const unsigned64Cell =
  (column: ColumnBuffer): ReadCell =>
  (bytes, at) => {
    const place = startUnsigned64(column);
    for (let index = 0; index < 8; index++) column.bytes[place + 8 - index] = bytes[at + index] as number;
    return at + 8;
  };

/** BIT: bytes, highest first, as the number that they are. */
export const bitCell = (column: ColumnBuffer): ReadCell => {
  const { physical } = column.type;
  return (bytes, at) => {
    measure(bytes, at);
    if (physical === "FIXED_LEN_BYTE_ARRAY") {
      const place = startUnsigned64(column);
      bytes.copy(column.bytes, place + unsigned64Bytes - (to - from), from, to);
      return to;
    }
    const width = physical === "INT32" ? 4 : 8;
    const place = column.room(width);
    column.bytes.fill(0, place, place + width);
    for (let index = from; index < to; index++) column.bytes[place + to - 1 - index] = bytes[index] as number;
    column.used = place + width;
    column.rows++;
    return to;
  };
};

/** @param scale digits behind the point */
export const decimalCell =
  (column: ColumnBuffer, scale: number): ReadCell =>
  (bytes, at) => {
    measure(bytes, at);
    addDecimal(column, bytes, from, to, scale);
    return to;
  };

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const exists = (year: number, month: number, day: number): boolean =>
  year > 0 && month > 0 && day > 0 && day <= (monthDays[month - 1] as number) + (month === 2 && isLeap(year) ? 1 : 0);

/** Days since 1970 in the Gregorian calendar, which MySQL has for all time. Years begin in March, so that leap days end them. */
const dayNumber = (year: number, month: number, day: number): number => {
  const inYear = month > 2 ? year : year - 1;
  const era = Math.floor(inYear / 400);
  const ofEra = inYear - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
};

/** DATE. Source of the forms: MariaDB knowledge base, "Binary resultset row". */
export const dateCell =
  (column: ColumnBuffer, losses: Losses): ReadCell =>
  (bytes, at) => {
    const length = bytes[at] as number;
    const year = length >= 4 ? bytes.readUInt16LE(at + 1) : 0;
    const month = length >= 4 ? (bytes[at + 3] as number) : 0;
    const day = length >= 4 ? (bytes[at + 4] as number) : 0;
    if (exists(year, month, day)) add32(column, dayNumber(year, month, day));
    else {
      column.addNull();
      losses.nulledDates++;
    }
    return at + 1 + length;
  };

/** DATETIME and TIMESTAMP. */
export const momentCell =
  (column: ColumnBuffer, losses: Losses): ReadCell =>
  (bytes, at) => {
    const length = bytes[at] as number;
    const year = length >= 4 ? (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8) : 0;
    const month = length >= 4 ? (bytes[at + 3] as number) : 0;
    const day = length >= 4 ? (bytes[at + 4] as number) : 0;
    if (!exists(year, month, day)) {
      column.addNull();
      losses.nulledDates++;
      return at + 1 + length;
    }
    let seconds = dayNumber(year, month, day) * 86_400;
    if (length >= 7)
      seconds += (bytes[at + 5] as number) * 3600 + (bytes[at + 6] as number) * 60 + (bytes[at + 7] as number);
    addMicros(column, seconds, length >= 11 ? bytes.readUInt32LE(at + 8) : 0);
    return at + 1 + length;
  };

/** TIME: days and hours beyond 24 are kept, and the sign. */
export const timeCell =
  (column: ColumnBuffer): ReadCell =>
  (bytes, at) => {
    const length = bytes[at] as number;
    if (length < 8) addMicros(column, 0, 0);
    else {
      const hours = bytes.readUInt32LE(at + 2) * 24 + (bytes[at + 6] as number);
      const seconds = hours * 3600 + (bytes[at + 7] as number) * 60 + (bytes[at + 8] as number);
      const micros = length >= 12 ? bytes.readUInt32LE(at + 9) : 0;
      if (bytes[at + 1] === 0) addMicros(column, seconds, micros);
      else if (micros === 0) addMicros(column, -seconds, 0);
      else addMicros(column, -seconds - 1, 1_000_000 - micros);
    }
    return at + 1 + length;
  };
