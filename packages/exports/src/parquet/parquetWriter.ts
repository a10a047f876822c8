import { ColumnBuffer } from "./columnBuffer.ts";
import { type ParquetColumn, physical, schemaOf } from "./columnType.ts";
import { longBytes, mostRows, type Page } from "./page.ts";
import { PageBuffers } from "./pageBuffers.ts";
import { type ThriftStruct, thriftBytes } from "./thrift.ts";

/** Where the bytes of one file go. */
export interface FileSink {
  write(bytes: Buffer): Promise<void> | undefined;
  /** Behind the last byte. */
  end(): Promise<void>;
}

export interface WrittenFile {
  readonly rows: number;
  readonly bytes: number;
  /** Of the values before they were compressed. */
  readonly rawBytes: number;
}

export interface ParquetOptions {
  /** Opens the next file of the table. */
  readonly open: (part: number) => FileSink;
  readonly buffers?: PageBuffers;
  /** A row group ends with the row that reaches it; bounds memory. */
  readonly groupBytes?: number;
  /** A file ends with the row group that reaches it. */
  readonly fileBytes?: number;
}

const magic = Buffer.from("PAR1");
const zstd = 6;
const encodings = [{ i32: 0 }, { i32: 3 }]; // PLAIN, RLE
const createdBy = "openemr-ops";
const defaultGroupBytes = 64 * 1024 * 1024;
const defaultFileBytes = 256 * 1024 * 1024;

interface Group {
  readonly columns: readonly { readonly pages: readonly (Page | Promise<Page>)[]; readonly nulls: number }[];
  readonly rows: number;
}

/** One file under way. */
class OpenFile {
  bytes = 0;
  rows = 0;
  rawBytes = 0;
  readonly #groups: ThriftStruct[] = [];
  readonly #columns: readonly ParquetColumn[];
  readonly #sink: FileSink;

  constructor(columns: readonly ParquetColumn[], sink: FileSink) {
    this.#columns = columns;
    this.#sink = sink;
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.bytes === 0 && bytes !== magic) await this.#write(magic);
    this.bytes += bytes.length;
    const waiting = this.#sink.write(bytes);
    if (waiting) await waiting;
  }

  async writeGroup({ columns, rows }: Group): Promise<void> {
    const chunks: ThriftStruct[] = [];
    const begun = Math.max(this.bytes, magic.length);
    let groupRaw = 0;
    for (const [index, { name, type }] of this.#columns.entries()) {
      const { pages = [], nulls = 0 } = columns[index] ?? {};
      const start = Math.max(this.bytes, magic.length);
      let raw = 0;
      for (const promised of pages) {
        const page = promised instanceof Promise ? await promised : promised;
        await this.#write(page.header);
        for (const piece of page.body) await this.#write(piece);
        raw += page.header.length + page.rawBytes;
      }
      groupRaw += raw;
      const metadata: ThriftStruct = {
        struct: [
          [1, { i32: physical[type.physical] }],
          [2, { list: encodings }],
          [3, { list: [{ binary: name }] }],
          [4, { i32: zstd }],
          [5, { i64: rows }],
          [6, { i64: raw }],
          [7, { i64: this.bytes - start }],
          [9, { i64: start }],
          [12, { struct: [[3, { i64: nulls }]] }],
        ],
      };
      chunks.push({
        struct: [
          [2, { i64: start }],
          [3, metadata],
        ],
      });
    }
    this.rows += rows;
    this.rawBytes += groupRaw;
    this.#groups.push({
      struct: [
        [1, { list: chunks }],
        [2, { i64: groupRaw }],
        [3, { i64: rows }],
        [5, { i64: begun }],
        [6, { i64: this.bytes - begun }],
      ],
    });
  }

  async finish(): Promise<WrittenFile> {
    const footer = thriftBytes({
      struct: [
        [1, { i32: 2 }],
        [2, { list: schemaOf(this.#columns) }],
        [3, { i64: this.rows }],
        [4, { list: this.#groups }],
        [6, { binary: createdBy }],
      ],
    });
    const tail = Buffer.alloc(8);
    tail.writeUInt32LE(footer.length, 0);
    magic.copy(tail, 4);
    await this.#write(footer);
    await this.#write(tail);
    await this.#sink.end();
    return { rows: this.rows, bytes: this.bytes, rawBytes: this.rawBytes };
  }
}

/**
 * Writes a table as Parquet files: rows go into `columns`, `endRow` ends each. Pages are compressed on other threads while more
 * rows come; a row group is written while the next one fills, so two of them are in memory at most.
 *
 * @see Apache Parquet, "File Format": magic number, column chunks, footer, its length, magic number
 */
export class ParquetWriter {
  readonly columns: readonly ColumnBuffer[];
  readonly #described: readonly ParquetColumn[];
  readonly #options: Required<ParquetOptions>;
  readonly #written: WrittenFile[] = [];
  #file: OpenFile | undefined;
  #rows = 0;
  #held = 0;
  #writing: Promise<void> | undefined;
  #failed = false;

  constructor(described: readonly ParquetColumn[], options: ParquetOptions) {
    this.#described = described;
    this.#options = {
      buffers: new PageBuffers(),
      groupBytes: defaultGroupBytes,
      fileBytes: defaultFileBytes,
      ...options,
    };
    this.columns = described.map(({ type }) => new ColumnBuffer(type, this.#options.buffers));
  }

  /**
   * @param bytes of the row, roughly
   * @returns set where the next row has to wait
   * @throws through the promise: what the sink threw
   */
  endRow(bytes: number): Promise<void> | undefined {
    this.#held += bytes;
    const isLarge = bytes >= longBytes;
    if (isLarge) for (const column of this.columns) column.endLongPage();
    const most = isLarge ? this.#options.groupBytes / 4 : this.#options.groupBytes;
    const isFull = ++this.#rows >= mostRows || this.#held >= most;
    const waiting = isFull ? this.#endGroup() : this.#failed ? this.#writing : this.#options.buffers.wait();
    return isLarge ? this.#settle() : waiting;
  }

  /** Until nothing is compressed or written: of such a row there are copies enough. */
  async #settle(): Promise<void> {
    await this.#writing;
    await this.#options.buffers.idle();
  }

  #endGroup(): Promise<void> | undefined {
    if (this.#rows === 0) return this.#writing;
    const rows = this.#rows;
    const columns = this.columns.map((column) => {
      const pages = column.takePages();
      for (const page of pages) if (page instanceof Promise) page.catch(() => {}); // writing it reports the failure
      const nulls = column.nullCount;
      column.nullCount = 0;
      return { pages, nulls };
    });
    this.#rows = 0;
    this.#held = 0;
    const before = this.#writing;
    const writing = this.#writeBehind(before, { columns, rows });
    writing.catch(() => {
      this.#failed = true;
    });
    this.#writing = writing;
    return before ?? this.#options.buffers.wait();
  }

  async #writeBehind(before: Promise<void> | undefined, group: Group): Promise<void> {
    await before;
    const file = this.#opened();
    await file.writeGroup(group);
    if (file.bytes >= this.#options.fileBytes) await this.#closeFile(file);
  }

  #opened(): OpenFile {
    this.#file ??= new OpenFile(this.#described, this.#options.open(this.#written.length));
    return this.#file;
  }

  async #closeFile(file: OpenFile): Promise<void> {
    this.#file = undefined;
    this.#written.push(await file.finish());
  }

  /** Writes what is left. There is a file also where there is no row. */
  async finish(): Promise<readonly WrittenFile[]> {
    this.#endGroup();
    await this.#writing;
    if (this.#file || this.#written.length === 0) await this.#closeFile(this.#opened());
    for (const column of this.columns) column.close();
    return this.#written;
  }
}
