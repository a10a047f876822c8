import { type ColumnType, widthOf } from "./columnType.ts";
import {
  compressesSoon,
  levelsRoom,
  longPage,
  mostRows,
  type Page,
  packBits,
  pageBytes,
  pageLater,
  pageNow,
  putLevels,
} from "./page.ts";
import type { PageBuffers } from "./pageBuffers.ts";

const smallest = 4096;
/** Where the first value of a page is in `bytes`. */
export const firstValue = levelsRoom;

/**
 * Values of one column in Parquet's PLAIN encoding, as they come, cut into pages. A reader of rows writes bytes straight into
 * `bytes`: it asks for `room`, writes there, and adds what it wrote to `used` and one to `rows`.
 *
 * There is no object a value, and no function a byte: that is what makes it fast.
 */
export class ColumnBuffer {
  readonly type: ColumnType;
  /** Values begin at `levelsRoom`. */
  bytes: Buffer;
  /** The same bytes from the first value on, for those of four and eight bytes; in the machine's order, which is little endian. */
  int32: Int32Array;
  /** Where the next value goes. */
  used = levelsRoom;
  /** Of the page, those without a value too. */
  rows = 0;
  #nulls = 0;
  readonly #defined = new Uint8Array(mostRows / 8).fill(0xff);
  readonly #buffers: PageBuffers;
  #pages: (Page | Promise<Page>)[] = [];
  /** Of all rows. */
  nullCount = 0;

  constructor(type: ColumnType, buffers: PageBuffers) {
    this.type = type;
    this.#buffers = buffers;
    this.bytes = buffers.take(levelsRoom + smallest);
    this.int32 = this.#view();
  }

  #view(): Int32Array {
    return new Int32Array(this.bytes.buffer, this.bytes.byteOffset + levelsRoom, (this.bytes.length - levelsRoom) >> 2);
  }

  /** Where `length` bytes can be written, in `bytes`, which may be another Buffer than before. */
  room(length: number): number {
    if (this.used + length > this.bytes.length) this.#makeRoom(length);
    return this.used;
  }

  #makeRoom(length: number): void {
    const held = this.used - levelsRoom;
    const isFull = held > 0 && held + length > pageBytes;
    if (isFull) this.#cut();
    this.#makeRoomIn(isFull ? length : held + length);
  }

  /** Grows to at least so many bytes of values, and keeps those that are there. */
  #makeRoomIn(length: number): void {
    if (levelsRoom + length <= this.bytes.length) return;
    const doubled = Math.min(pageBytes, 2 * (this.bytes.length - levelsRoom));
    const grown = this.#buffers.take(levelsRoom + Math.max(doubled, length));
    this.bytes.copy(grown, levelsRoom, levelsRoom, this.used);
    this.#buffers.give(this.bytes);
    this.bytes = grown;
    this.int32 = this.#view();
  }

  addNull(): void {
    const index = this.rows >> 3;
    this.#defined[index] = (this.#defined[index] ?? 0) & ~(1 << (this.rows & 7));
    this.rows++;
    this.#nulls++;
  }

  /** A value that says its length itself. */
  addBytes(value: Uint8Array): void {
    const at = this.room(4 + value.length);
    this.bytes.writeUInt32LE(value.length, at);
    this.bytes.set(value, at + 4);
    this.used = at + 4 + value.length;
    this.rows++;
  }

  /** A value of `longBytes` or more, which is a page of its own. It is read where it is, and not to change until its row is settled. */
  addLong(value: Uint8Array): void {
    if (this.rows > 0) this.#cut();
    this.#pages.push(this.#buffers.whileUsed(undefined, longPage(value)));
  }

  /** Ends the page and starts to compress it. */
  #cut(): void {
    const { bytes, rows } = this;
    const start = putLevels(bytes, levelsRoom, this.#defined, rows, this.#nulls);
    const width = widthOf(this.type);
    if (width > 0 && (rows - this.#nulls) * width !== this.used - levelsRoom)
      throw new RangeError("a column has another number of values than rows");
    const end = this.type.physical === "BOOLEAN" ? packBits(bytes, levelsRoom, this.used) : this.used;
    const raw = bytes.subarray(start, end);
    if (compressesSoon(raw)) this.#pages.push(pageNow(raw, rows));
    else {
      this.#pages.push(this.#buffers.whileUsed(bytes, pageLater(raw, rows)));
      this.bytes = this.#buffers.take(Math.min(bytes.length, levelsRoom + pageBytes));
      this.int32 = this.#view();
    }
    if (this.#nulls > 0) this.#defined.fill(0xff);
    this.nullCount += this.#nulls;
    this.used = levelsRoom;
    this.rows = 0;
    this.#nulls = 0;
  }

  /** Ends a page that is longer than pages are; its memory is not kept for the next value. */
  endLongPage(): void {
    if (this.used - levelsRoom > pageBytes) this.#cut();
  }

  /** Ends a row group: its pages, some of which are still being compressed. */
  takePages(): readonly (Page | Promise<Page>)[] {
    if (this.rows > 0) this.#cut();
    const pages = this.#pages;
    this.#pages = [];
    return pages;
  }

  /** Gives the memory back; nothing is added after it. */
  close(): void {
    this.#buffers.give(this.bytes);
  }
}
