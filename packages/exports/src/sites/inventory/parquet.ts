import { zstdDecompressSync } from "node:zlib";
import { parquetMetadata, parquetRead } from "hyparquet";
import type { PageBuffers } from "../../parquet/pageBuffers.ts";
import { parquetTable, type TableType, type TableValue } from "../../parquet/parquetTable.ts";
import { keyBytes, keyText, pathText } from "../objectNames.ts";
import type { FileState, InventoryRow } from "./row.ts";

/** Where objects of files are kept, below the destination. */
export const sitesFolder = "sites/";

const belowSites = (key: string): string => key.slice(sitesFolder.length);

/** The place of an object of a file. */
export const placeOf = ({ key }: { readonly key: string }): string => keyBytes(belowSites(key));

/** A time has microseconds, which every reader knows; `mtimeNs` is the whole of it. `pathBytes`: hex, where `path` is escaped. */
const columns = {
  site: "text",
  path: "text",
  pathBytes: "text",
  key: "text",
  state: "text",
  reason: "text",
  size: "integer",
  mtime: "timestamp",
  mtimeNs: "integer",
  sha256: "text",
  etag: "text",
  exportedAt: "timestamp",
  deletedAt: "timestamp",
  treatment: "text",
  objectSize: "integer",
} as const satisfies Readonly<Record<string, TableType>>;

const cellsOf = (row: InventoryRow): readonly TableValue[] => {
  const { place, path, byteLength, modifiedNs } = row;
  const { text, raw } = pathText(path);
  const slash = text.indexOf("/");
  return [
    slash < 0 ? null : text.slice(0, slash),
    text.slice(slash + 1),
    raw?.toString("hex") ?? null,
    sitesFolder + keyText(place),
    row.state,
    row.reason ?? null,
    byteLength ?? null,
    modifiedNs === undefined ? null : new Date(Number(modifiedNs / 1_000_000n)),
    modifiedNs ?? null,
    row.sha256 ?? null,
    row.etag ?? null,
    row.exportedAt ?? null,
    row.deletedAt ?? null,
    row.treatment ?? null,
    row.objectBytes ?? null,
  ];
};

/** One part of an inventory that is being made. */
export interface OpenPart {
  /** @returns set where the next row has to wait */
  add(row: InventoryRow): Promise<void> | undefined;
  /** @returns it as Parquet */
  finish(): Promise<Buffer>;
}

/** @param buffers where several are made one after the other */
export const openPart = (buffers?: PageBuffers): OpenPart => {
  const table = parquetTable(
    Object.entries(columns).map(([name, type]) => ({ name, type })),
    buffers,
  );
  return { add: (row) => table.add(cellsOf(row)), finish: table.finish };
};

/** Columns as the reader gives them: texts are strings of one character a byte, as places and paths are here. */
interface StoredColumns {
  /** These three only where a key is escaped. */
  readonly site?: readonly (string | null)[];
  readonly path?: readonly string[];
  readonly pathBytes?: readonly (string | null)[];
  readonly key: readonly string[];
  readonly state: readonly FileState[];
  readonly reason: readonly (string | null)[];
  readonly size: readonly (bigint | null)[];
  readonly mtimeNs: readonly (bigint | null)[];
  readonly sha256: readonly (string | null)[];
  readonly etag: readonly (string | null)[];
  readonly exportedAt: readonly (Date | null)[];
  readonly deletedAt: readonly (Date | null)[];
  /** Not in inventories of earlier releases, as the size of the object. */
  readonly treatment?: readonly ("decrypted" | null)[];
  readonly objectSize?: readonly (bigint | null)[];
}

/** One part of an inventory in memory; rows are made when they are taken. */
export interface ReadRows {
  /** Some at a time. */
  rows(): Iterable<readonly InventoryRow[]>;
  /** Places of the rows that have an object. */
  objects(): Iterable<string>;
}

/** Rows that are made together. */
const inBatch = 500;

/** What a path is made of where a key is not the path itself. */
const ofPaths: ReadonlySet<string> = new Set(["site", "path", "pathBytes"]);
const isEscaped = (key: string): boolean => key.includes("%");

const pathAt = ({ site, path, pathBytes }: StoredColumns, index: number): string => {
  const bytes = pathBytes?.[index];
  if (bytes) return Buffer.from(bytes, "hex").toString("latin1");
  return [site?.[index], path?.[index]].filter((each) => typeof each === "string").join("/");
};

const rowAt = (columns: StoredColumns, index: number): InventoryRow => {
  const place = belowSites(columns.key[index] ?? "");
  const size = columns.size[index] ?? null;
  const objectSize = columns.objectSize?.[index];
  const reason = columns.reason[index];
  return {
    place,
    path: isEscaped(place) ? pathAt(columns, index) : place.replace(/\/$/, ""), // a directory's place ends in a slash
    state: columns.state[index] as FileState,
    reason: reason ? keyText(reason) : undefined,
    byteLength: size === null ? undefined : Number(size),
    modifiedNs: columns.mtimeNs[index] ?? undefined,
    sha256: columns.sha256[index] ?? undefined,
    etag: columns.etag[index] ?? undefined,
    exportedAt: columns.exportedAt[index] ?? undefined,
    deletedAt: columns.deletedAt[index] ?? undefined,
    treatment: columns.treatment?.[index] ?? undefined,
    objectBytes: typeof objectSize === "bigint" ? Number(objectSize) : undefined,
  };
};

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** Reads one part. */
export const readParquet = async (bytes: Buffer): Promise<ReadRows> => {
  const file = new Uint8Array(bytes).buffer;
  const metadata = parquetMetadata(file);
  const names = metadata.schema.slice(1).map(({ name }) => name);
  const read: Record<string, readonly unknown[]> = {};
  const readColumns = async (wanted: (name: string) => boolean): Promise<void> => {
    await parquetRead({
      ...{ file, metadata, columns: names.filter(wanted) },
      compressors: { ZSTD: (page) => zstdDecompressSync(page) },
      parsers: { stringFromBytes: latin1 },
      onChunk: ({ columnName, columnData }) => {
        const before = read[columnName];
        read[columnName] = before ? [...before, ...Array.from(columnData)] : Array.from(columnData);
      },
    });
  };
  await readColumns((name) => !ofPaths.has(name) && name !== "mtime");
  const columns = read as unknown as StoredColumns;
  if (columns.key.some(isEscaped)) await readColumns((name) => ofPaths.has(name));
  return {
    *rows() {
      for (let from = 0; from < columns.key.length; from += inBatch) {
        const length = Math.min(inBatch, columns.key.length - from);
        yield Array.from({ length }, (_, index) => rowAt(columns, from + index));
      }
    },
    *objects() {
      for (const [index, key] of columns.key.entries()) if (columns.etag[index] !== null) yield belowSites(key);
    },
  };
};
