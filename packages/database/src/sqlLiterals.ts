import type { ByteSink } from "@openemr-ops/files/byteSink";

/** Writes SQL in pieces of bounded size, however long a value is: nothing of a value is copied whole. */
export interface SqlWriter {
  text(sql: string | Buffer): Promise<void> | undefined;
  /** `0x…`, or `''` for none. */
  hex(value: Buffer): Promise<void> | undefined;
  /** A UTF-8 value as a string on one line, with the escapes of mysql_real_escape_string. */
  quoted(value: Buffer): Promise<void> | undefined;
  /** Hands on what is written. Each call of the sink before this one is a full piece. */
  flush(): Promise<void>;
  /** Bytes of SQL so far. */
  written(): number;
}

const pieceBytes = 65_536;
/** Of a value; its SQL has up to twice as many bytes. */
const sliceBytes = pieceBytes / 4;

const escapes = new Uint8Array(256);
for (const [byte, letter] of [
  [0, "0"],
  [10, "n"],
  [13, "r"],
  [26, "Z"],
  [34, '"'],
  [39, "'"],
  [92, "\\"],
] as const)
  escapes[byte] = letter.charCodeAt(0);

const digits = Buffer.from("0123456789ABCDEF");
const backslash = 92;
const quote = Buffer.from("'");
const hexPrefix = Buffer.from("0x");
const noBytes = Buffer.from("''");

const writeHex = (value: Buffer, to: Buffer, at: number): number => {
  let end = at;
  for (const byte of value) {
    to[end++] = digits[byte >> 4] as number;
    to[end++] = digits[byte & 15] as number;
  }
  return end;
};

const writeEscaped = (value: Buffer, to: Buffer, at: number): number => {
  let end = at;
  for (const byte of value) {
    const letter = escapes[byte] as number;
    if (letter > 0) to[end++] = backslash;
    to[end++] = letter > 0 ? letter : byte;
  }
  return end;
};

export const sqlWriter = (sink: ByteSink): SqlWriter => {
  let piece = Buffer.allocUnsafe(pieceBytes);
  let length = 0;
  let before = 0; // bytes of the pieces before this one

  const flush = async (): Promise<void> => {
    if (length === 0) return;
    const full = piece.subarray(0, length);
    piece = Buffer.allocUnsafe(pieceBytes); // the sink may keep the other one
    before += length;
    length = 0;
    await sink(full);
  };
  const copy = (value: Buffer, to: Buffer, at: number): number => at + value.copy(to, at);
  /** @param growth bytes of SQL for each of the value */
  const put = (value: Buffer, write: typeof copy, growth: number): Promise<void> | undefined => {
    if (length + value.length * growth <= pieceBytes) {
      length = write(value, piece, length);
      return undefined;
    }
    return putSlices(value, write);
  };
  const putSlices = async (value: Buffer, write: typeof copy): Promise<void> => {
    for (let at = 0; at < value.length; at += sliceBytes) {
      if (length + 2 * sliceBytes > pieceBytes) await flush();
      length = write(value.subarray(at, at + sliceBytes), piece, length);
    }
  };
  const between = (start: Buffer, value: Buffer, write: typeof copy, after: Buffer): Promise<void> | undefined => {
    if (length + start.length + value.length * 2 + after.length > pieceBytes)
      return (async () => {
        await put(start, copy, 1);
        await put(value, write, 2);
        await put(after, copy, 1);
      })();
    length = copy(start, piece, length);
    length = write(value, piece, length);
    length = copy(after, piece, length);
    return undefined;
  };

  return {
    text: (sql) => put(typeof sql === "string" ? Buffer.from(sql) : sql, copy, 1),
    hex: (value) => (value.length === 0 ? put(noBytes, copy, 1) : between(hexPrefix, value, writeHex, Buffer.alloc(0))),
    quoted: (value) => between(quote, value, writeEscaped, quote),
    flush,
    written: () => before + length,
  };
};
