import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { StoreRun } from "./dumpStore.ts";
import { resticMessage } from "./resticErrors.ts";
import type { ResticReader } from "./resticReader.ts";
import type { ListedEntry } from "./treeListing.ts";

interface Node {
  readonly struct_type?: string;
  readonly type?: string;
  /** From the name of the tree itself on. */
  readonly path?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime?: string;
}

const kinds: Readonly<Record<string, ListedEntry["kind"]>> = { file: "file", dir: "directory", symlink: "link" };

/** What a snapshot of a tree holds; the path is the snapshot's own, which begins with the tree's name. */
export const snapshotEntries = async function* (
  reader: ResticReader,
  snapshot: string,
  run: StoreRun,
): AsyncGenerator<ListedEntry, void> {
  const { child, failed } = await reader.start(["ls", "--json", snapshot], run);
  // The reader keeps what comes for an async iteration, and for nothing else.
  let whole = false;
  try {
    for await (const line of createInterface({ input: Readable.from(child.stdout) })) {
      const node = (resticMessage(line) ?? {}) as Node;
      if (node.struct_type !== "node" || node.path === undefined) continue;
      const { type = "", path, mode = 0, uid = 0, gid = 0, size = 0, mtime = "" } = node;
      yield { kind: kinds[type] ?? "other", path, mode, uid, gid, size, mtimeMs: Date.parse(mtime) || 0 };
    }
    whole = true;
  } finally {
    if (!whole) child.kill("SIGINT"); // who asked reads no more
    await child.ended.catch(() => {});
  }
  const end = await child.ended;
  run.signal.throwIfAborted();
  if (end.code !== 0) await failed("listing the sites tree of the dump", end);
};
