import type { Readable } from "node:stream";
import { zstdDecompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { parquetTable, type TableType, type TableValue } from "../../parquet/parquetTable.ts";
import { keyBytes, keyText, pathText } from "../objectNames.ts";
import type { FileState, InventoryRow } from "./row.ts";

/** Where objects of files are kept, below the destination. */
export const sitesFolder = "sites/";

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

/** A row as the reader gives it. */
interface StoredRow {
  readonly site: string | null;
  readonly path: string;
  readonly pathBytes: string | null;
  readonly key: string;
  readonly state: FileState;
  readonly reason: string | null;
  readonly size: bigint | null;
  readonly mtimeNs: bigint | null;
  readonly sha256: string | null;
  readonly etag: string | null;
  readonly exportedAt: Date | null;
  readonly deletedAt: Date | null;
  /** Not in inventories of earlier releases, as the size of the object. */
  readonly treatment?: "decrypted" | null;
  readonly objectSize?: bigint | null;
}

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

/** One part of an inventory as Parquet. */
export const inventoryParquet = (rows: readonly InventoryRow[]): Readable =>
  parquetTable(
    Object.entries(columns).map(([name, type]) => ({ name, type })),
    rows.map(cellsOf),
  );

const bytesOf = (name: string): string => Buffer.from(name, "utf8").toString("latin1");

const rowOf = ({ site, path, pathBytes, key, state, size, ...stored }: StoredRow): InventoryRow => ({
  place: keyBytes(key.slice(sitesFolder.length)),
  path:
    pathBytes === null
      ? bytesOf(site === null ? path : `${site}/${path}`)
      : Buffer.from(pathBytes, "hex").toString("latin1"),
  state,
  reason: stored.reason ?? undefined,
  byteLength: size === null ? undefined : Number(size),
  modifiedNs: stored.mtimeNs ?? undefined,
  sha256: stored.sha256 ?? undefined,
  etag: stored.etag ?? undefined,
  exportedAt: stored.exportedAt ?? undefined,
  deletedAt: stored.deletedAt ?? undefined,
  treatment: stored.treatment ?? undefined,
  objectBytes: typeof stored.objectSize === "bigint" ? Number(stored.objectSize) : undefined,
});

/** The rows of one part. */
export const rowsOfParquet = async (bytes: Buffer): Promise<Iterable<InventoryRow>> => {
  const file = new Uint8Array(bytes).buffer;
  const rows = await parquetReadObjects({ file, compressors: { ZSTD: (page) => zstdDecompressSync(page) } });
  return (function* () {
    for (const row of rows) yield rowOf(row as StoredRow);
  })();
};
