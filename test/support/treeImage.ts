import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What one entry of a tree is: enough to tell two copies apart. */
export interface EntryImage {
  readonly type: "file" | "directory" | "link" | "fifo" | "other";
  readonly mode: string;
  readonly owner: string;
  /** Nanoseconds. */
  readonly mtime: bigint;
  /** Where a link leads, the digest of a file's content; bytes as Latin-1. */
  readonly content?: string;
}

const typeOf = (stats: BigIntStats): EntryImage["type"] =>
  stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "directory"
      : stats.isSymbolicLink()
        ? "link"
        : stats.isFIFO()
          ? "fifo"
          : "other";

const slash = Buffer.from("/");

/**
 * Reads a tree by the bytes of its names, which need not be UTF-8. Keys are paths below the root in Latin-1, `""` the root.
 *
 * @param contentLimit files of more bytes are told by their size alone
 */
export const treeImage = (root: string, { contentLimit = 1e9 } = {}): Readonly<Record<string, EntryImage>> => {
  const image: Record<string, EntryImage> = {};
  const visit = (path: Buffer, below: string): void => {
    const stats = lstatSync(path, { bigint: true });
    const type = typeOf(stats);
    image[below] = {
      type,
      mode: (stats.mode & 0o7777n).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      mtime: stats.mtimeNs,
      ...(type === "link" ? { content: readlinkSync(path, { encoding: "buffer" }).toString("latin1") } : {}),
      ...(type === "file"
        ? {
            content:
              stats.size > contentLimit
                ? `${stats.size} bytes`
                : createHash("sha256").update(readFileSync(path)).digest("hex"),
          }
        : {}),
    };
    if (type !== "directory") return;
    for (const name of readdirSync(path, { encoding: "buffer" }))
      visit(Buffer.concat([path, slash, name]), `${below === "" ? "" : `${below}/`}${name.toString("latin1")}`);
  };
  visit(Buffer.from(root), "");
  return image;
};
