import { type FileMetaData, parquetMetadata, parquetReadObjects, type SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { keyBytes, keyText, pathText } from "../objectNames.ts";
import type { FileState, InventoryRow } from "./row.ts";

const text = (name: string): SchemaElement => ({
  name,
  type: "BYTE_ARRAY",
  converted_type: "UTF8",
  logical_type: { type: "STRING" },
  repetition_type: "OPTIONAL",
});
const moment = (name: string): SchemaElement => ({
  name,
  type: "INT64",
  converted_type: "TIMESTAMP_MICROS",
  logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
  repetition_type: "OPTIONAL",
});

/** The columns, in order. A time has microseconds, which every reader knows; `mtimeNs` is the whole of it. */
const schema: SchemaElement[] = [
  { name: "inventory", num_children: 13 },
  text("site"),
  text("path"),
  { name: "rawPath", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
  text("key"),
  text("state"),
  text("reason"),
  { name: "size", type: "INT64", repetition_type: "OPTIONAL" },
  moment("mtime"),
  { name: "mtimeNs", type: "INT64", repetition_type: "OPTIONAL" },
  text("sha256"),
  text("etag"),
  moment("exportedAt"),
  moment("deletedAt"),
];

const repeating: ReadonlySet<string> = new Set(["site", "state", "reason"]);

const rowsAtOnce = 10_000;
/** Where objects of files are kept, below the destination. */
export const sitesFolder = "sites/";

const microseconds = (date: Date | undefined): bigint | undefined => date && BigInt(date.getTime()) * 1000n;

/** One part of an inventory as Parquet. */
export const inventoryParquet = (rows: readonly InventoryRow[], createdBy = "openemr-ops"): Buffer => {
  const writer = new ByteWriter(64 * 1024);
  const parquet = new ParquetWriter({ writer, schema, createdBy });
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    const group = rows.slice(start, start + rowsAtOnce);
    const paths = group.map(({ path }) => {
      const slash = path.indexOf("/");
      const site = slash < 0 ? undefined : pathText(path.slice(0, slash)).text;
      const below = pathText(path.slice(slash + 1));
      return { site, text: below.text, raw: below.raw ?? pathText(path).raw };
    });
    // Of values that hardly repeat a dictionary costs much and saves nothing.
    const column = (name: string, data: unknown[]) =>
      repeating.has(name) ? { name, data } : { name, data, encoding: "PLAIN" as const };
    parquet.write({
      rowGroupSize: rowsAtOnce,
      columnData: [
        column("site", paths.map(({ site }) => site)),
        column("path", paths.map(({ text }) => text)),
        column("rawPath", group.map(({ path }, index) => paths[index]?.raw && Buffer.from(path, "latin1"))),
        column("key", group.map(({ place }) => sitesFolder + keyText(place))),
        column("state", group.map(({ state }) => state)),
        column("reason", group.map(({ reason }) => reason)),
        column("size", group.map(({ byteLength }) => byteLength === undefined ? undefined : BigInt(byteLength))),
        column("mtime", group.map(({ modifiedNs }) => modifiedNs === undefined ? undefined : modifiedNs / 1000n)),
        column("mtimeNs", group.map(({ modifiedNs }) => modifiedNs)),
        column("sha256", group.map(({ sha256 }) => sha256)),
        column("etag", group.map(({ etag }) => etag)),
        column("exportedAt", group.map(({ exportedAt }) => microseconds(exportedAt))),
        column("deletedAt", group.map(({ deletedAt }) => microseconds(deletedAt))),
      ],
    });
  }
  void parquet.finish();
  return Buffer.from(writer.getBytes());
};

/** A row as the reader gives it: what is not set is null. */
interface StoredRow {
  readonly site: string | null;
  readonly path: string;
  readonly rawPath: Uint8Array | null;
  readonly key: string;
  readonly state: FileState;
  readonly reason: string | null;
  readonly size: bigint | null;
  readonly mtimeNs: bigint | null;
  readonly sha256: string | null;
  readonly etag: string | null;
  readonly exportedAt: Date | null;
  readonly deletedAt: Date | null;
}

const bytesOf = (name: string): string => Buffer.from(name, "utf8").toString("latin1");

const rowOf = ({ site, path, rawPath, key, state, size, ...stored }: StoredRow): InventoryRow => ({
  place: keyBytes(key.slice(sitesFolder.length)),
  path: rawPath ? Buffer.from(rawPath).toString("latin1") : bytesOf(site === null ? path : `${site}/${path}`),
  state,
  reason: stored.reason ?? undefined,
  byteLength: size === null ? undefined : Number(size),
  modifiedNs: stored.mtimeNs ?? undefined,
  sha256: stored.sha256 ?? undefined,
  etag: stored.etag ?? undefined,
  exportedAt: stored.exportedAt ?? undefined,
  deletedAt: stored.deletedAt ?? undefined,
});

/** The rows of one part, a group of them in memory at a time. */
export const rowsOfParquet = async function* (bytes: Buffer): AsyncGenerator<InventoryRow, void> {
  const file = new Uint8Array(bytes).buffer;
  const metadata: FileMetaData = parquetMetadata(file);
  for (let start = 0; start < Number(metadata.num_rows); start += rowsAtOnce) {
    const rowEnd = Math.min(start + rowsAtOnce, Number(metadata.num_rows));
    const rows = await parquetReadObjects({
      file,
      metadata,
      rowStart: start,
      rowEnd,
      utf8: false,
    });
    for (const row of rows) yield rowOf(row as StoredRow);
  }
};
