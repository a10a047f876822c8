import { promisify } from "node:util";
import { constants, createZstdCompress, type ZstdOptions, zstdCompress, zstdCompressSync } from "node:zlib";
import { thriftBytes } from "./thrift.ts";

/** Rows of a page at most, and of a row group. */
export const mostRows = 131_072;
/** Of values in a page. A longer value is a page of its own. */
export const pageBytes = 1024 * 1024;
/** A value from here on is not copied into a page. A row with one is in memory alone. */
export const longBytes = 4 * 1024 * 1024;
/** Room before the values of a page for what says which of its rows are NULL: length, header, a bit a row. */
export const levelsRoom = 16 + mostRows / 8;

const level = 1; // 3 took 40 per cent more time for no smaller file
const params = { [constants.ZSTD_c_compressionLevel]: level };
const compressLater = promisify<Buffer, ZstdOptions, Buffer>(zstdCompress);
/** Below it another thread costs more than it brings. */
const soonBytes = 16 * 1024;

/** Most pages fit into one; a larger one costs time to make room for nothing. */
const compressedChunk = 256 * 1024;
const longChunk = 1024 * 1024;

/** Compressed, as it is in the file. */
export interface Page {
  readonly header: Buffer;
  /** In pieces. */
  readonly body: readonly Buffer[];
  /** Of the body before it was compressed. */
  readonly rawBytes: number;
  readonly rows: number;
}

const encodings = { PLAIN: 0, RLE: 3 } as const;

/** A data page of version 1: every reader knows it. Source: Apache Parquet, `parquet.thrift`, "PageHeader". */
const headerOf = (rawBytes: number, compressedBytes: number, rows: number): Buffer =>
  thriftBytes({
    struct: [
      [1, { i32: 0 }],
      [2, { i32: rawBytes }],
      [3, { i32: compressedBytes }],
      [
        5,
        {
          struct: [
            [1, { i32: rows }],
            [2, { i32: encodings.PLAIN }],
            [3, { i32: encodings.RLE }],
            [4, { i32: encodings.RLE }],
          ],
        },
      ],
    ],
  });

const toPage = (rawBytes: number, body: readonly Buffer[], rows: number): Page => {
  const compressed = body.reduce((length, piece) => length + piece.length, 0);
  return { header: headerOf(rawBytes, compressed, rows), body, rawBytes, rows };
};

export const compressesSoon = (raw: Buffer): boolean => raw.length <= soonBytes;
export const pageNow = (raw: Buffer, rows: number): Page =>
  toPage(raw.length, [zstdCompressSync(raw, { params })], rows);

/** Compresses on another thread. `raw` is not to change meanwhile. */
export const pageLater = async (raw: Buffer, rows: number): Promise<Page> => {
  const body = await compressLater(raw, { params, chunkSize: compressedChunk });
  // What compresses well would hold on to the room that was made for what does not.
  return toPage(raw.length, [body.buffer.byteLength > 2 * body.length ? Buffer.from(body) : body], rows);
};

/**
 * A page of one long value, compressed from where it is: nothing is copied, and the result stays in pieces. `value` is not to
 * change meanwhile.
 */
export const longPage = async (value: Uint8Array): Promise<Page> => {
  const before = Buffer.alloc(levelsRoom + 4);
  before.writeUInt32LE(value.length, levelsRoom);
  const head = before.subarray(putLevels(before, levelsRoom, new Uint8Array(1), 1, 0));
  const compressing = createZstdCompress({ params, chunkSize: longChunk });
  compressing.write(head);
  compressing.end(value);
  const body: Buffer[] = [];
  for await (const piece of compressing) body.push(piece);
  return toPage(head.length + value.length, body, 1);
};

/**
 * Makes booleans that are a byte each, 0 or 1, a bit each in the same place, lowest first; returns where they end.
 *
 * @see Apache Parquet, "Plain (PLAIN = 0)", BOOLEAN
 */
export const packBits = (bytes: Buffer, start: number, end: number): number => {
  let put = start;
  for (let at = start; at < end; at += 8) {
    let packed = 0;
    for (let bit = 0; bit < 8 && at + bit < end; bit++) packed |= (bytes[at + bit] as number) << bit;
    bytes[put++] = packed;
  }
  return put;
};

/** A number of Parquet's hybrid of runs and packed bits, in seven bits a byte; returns where it ends. */
const putVarint = (to: Buffer, at: number, value: number): number => {
  let rest = value;
  let end = at;
  for (; rest > 127; rest >>>= 7) to[end++] = (rest & 127) | 128;
  to[end++] = rest;
  return end;
};

/**
 * Writes in front of a page's values which of its rows have one, and returns where that begins.
 *
 * @param before where the values begin in `to`; `levelsRoom` bytes before are free
 * @param defined a bit a row, lowest first: 1 where there is a value
 * @see Apache Parquet, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)"
 */
export const putLevels = (to: Buffer, before: number, defined: Uint8Array, rows: number, nulls: number): number => {
  const groups = Math.ceil(rows / 8);
  const head = Buffer.alloc(10);
  let headEnd: number;
  let packed = 0;
  if (nulls === 0 || nulls === rows) {
    headEnd = putVarint(head, 4, rows * 2); // one run of the same
    head[headEnd++] = nulls === 0 ? 1 : 0;
  } else {
    headEnd = putVarint(head, 4, groups * 2 + 1);
    packed = groups;
  }
  head.writeUInt32LE(headEnd - 4 + packed, 0);
  const start = before - headEnd - packed;
  to.set(head.subarray(0, headEnd), start);
  if (packed > 0) to.set(defined.subarray(0, packed), start + headEnd);
  return start;
};
