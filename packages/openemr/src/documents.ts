import { stat } from "node:fs/promises";
import { join } from "node:path";
import { versionOf } from "./crypto.ts";
import { documentFile } from "./documentFile.ts";
import { isAbsent, readStart, unreadable } from "./siteFiles.ts";
import { baseTable, columnsOf, type SqlReader, type SqlRow, shortened } from "./sqlReader.ts";

/** Ids of rows in table `documents`, ascending. */
export interface DocumentIds {
  readonly count: number;
  /** The first 10,000 of them. */
  readonly ids: readonly number[];
}

/** How the rows of `documents` and the files on disk fit. Ids and counts only: names and paths can name patients. */
export interface DocumentCheck {
  /** Rows that must have a file. */
  readonly rows: number;
  readonly missing: DocumentIds;
  readonly empty: DocumentIds;
  /** Marked as encrypted, but the file does not begin like a ciphertext. */
  readonly notEncrypted: DocumentIds;
  /** Deleted rows without a file: nobody sees them, so a warning at most. */
  readonly deletedMissing: number;
  readonly thumbnailsMissing: number;
}

const listedIds = 10_000;
/** No path is longer. Characters. */
const longestUrl = 4096;

/**
 * Looks for the file of every row of `documents` that keeps one on disk. Cheap: no document is read but the first three bytes of
 * encrypted ones. An absent table is no rows.
 *
 * @param options.parallel file system calls under way at once; they, not the database, are what takes time on EFS
 * @throws {SourceUnreadableError} fatal: a file or directory exists and cannot be looked at
 */
export const checkDocuments = async ({
  sitesPath,
  database,
  site,
  batch = 2000,
  parallel = 48,
}: {
  sitesPath: string;
  database: SqlReader;
  site: string;
  batch?: number;
  parallel?: number;
}): Promise<DocumentCheck> => {
  const directory = join(sitesPath, site, "documents");
  const [missing, empty, notEncrypted] = [collectIds(), collectIds(), collectIds()];
  const counts = { rows: 0, deletedMissing: 0, thumbnailsMissing: 0 };

  for await (const rows of batches(database, batch)) {
    counts.rows += rows.length;
    const found = await mapParallel(rows, parallel, (row) => inspect(directory, row));
    for (const [index, { file, thumbnail }] of found.entries()) {
      const row = rows[index];
      const id = Number(row?.id);
      if (file === "missing" && Number(row?.deleted) === 1) counts.deletedMissing++;
      else if (file === "missing") missing.add(id);
      else if (file === "empty") empty.add(id);
      else if (file === "not-encrypted") notEncrypted.add(id);
      if (thumbnail === "missing") counts.thumbnailsMissing++;
    }
  }
  return { ...counts, missing: missing.result(), empty: empty.result(), notEncrypted: notEncrypted.result() };
};

/** How many rows of `documents` keep their content in CouchDB, or leave a number there: files do not hold it. */
export const countInCouchDb = async (database: SqlReader): Promise<number> => {
  const columns = await columnsOf(database, "documents");
  const conditions = [
    ...(columns.has("storagemethod") ? ["storagemethod <> 0"] : []),
    ...(columns.has("couch_docid") ? ["couch_docid <> ''"] : []),
  ];
  if (conditions.length === 0) return 0;
  const [row] = await database.rows(
    `SELECT COUNT(*) AS found FROM ${baseTable("documents")} WHERE ${conditions.join(" OR ")}`,
  );
  return Number(row?.found ?? 0);
};

type Finding = "present" | "missing" | "empty" | "not-encrypted" | "none";

const inspect = async (directory: string, row: SqlRow): Promise<{ file: Finding; thumbnail: Finding }> => {
  const depth = row.depth ?? null;
  return {
    file: await look(directory, documentFile(row.url ?? null, depth), Number(row.encrypted) === 1),
    thumbnail: row.thumb_url ? await look(directory, documentFile(row.thumb_url, depth), false) : "none",
  };
};

const look = async (directory: string, path: string | undefined, encrypted: boolean): Promise<Finding> => {
  if (path === undefined) return "missing";
  const what = "the file of a document";
  try {
    const found = await stat(join(directory, path));
    if (!found.isFile()) return "missing";
    if (found.size === 0) return "empty";
  } catch (error) {
    if (isAbsent(error)) return "missing";
    throw unreadable(what, error);
  }
  if (!encrypted) return "present";
  const prefix = (await readStart(join(directory, path), what, 3))?.toString("latin1") ?? "";
  return versionOf(prefix) === undefined ? "not-encrypted" : "present";
};

/** Rows with a file on disk, by id, so many at a time. */
const batches = async function* (database: SqlReader, size: number): AsyncGenerator<readonly SqlRow[]> {
  const columns = await columnsOf(database, "documents");
  if (!columns.has("id") || !columns.has("url")) return;
  const or = (column: string, otherwise: string) => (columns.has(column) ? `\`${column}\`` : otherwise);
  const text = (column: string) => (columns.has(column) ? shortened(column, longestUrl) : "NULL");
  const conditions = ["id > ?"];
  if (columns.has("type")) conditions.push("type = 'file_url'");
  if (columns.has("storagemethod")) conditions.push("storagemethod = 0");
  if (columns.has("couch_docid")) conditions.push("(couch_docid IS NULL OR couch_docid = '')");
  const sql =
    `SELECT id, ${text("url")} AS url, ${text("thumb_url")} AS thumb_url, ${or("path_depth", "1")} AS depth, ` +
    `${or("encrypted", "0")} AS encrypted, ${or("deleted", "0")} AS deleted ` +
    `FROM ${baseTable("documents")} WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT ${size}`;
  for (let last = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = await database.rows(sql, [last]);
    if (rows.length > 0) yield rows;
    if (rows.length < size) return;
    last = Number(rows.at(-1)?.id);
  }
};

const collectIds = () => {
  const ids: number[] = [];
  let count = 0;
  return {
    add: (id: number) => {
      if (count++ < listedIds) ids.push(id);
    },
    result: (): DocumentIds => ({ count, ids }),
  };
};

/** Results in the order of the items; the first failure ends it. */
const mapParallel = async <Item, Result>(
  items: readonly Item[],
  parallel: number,
  map: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = new Array(items.length);
  const queue = items.entries(); // shared: each worker takes the next one
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (const [index, item] of queue) results[index] = await map(item);
    }),
  );
  return results;
};
