import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { FileSelection } from "../fileSelection.ts";
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

/** More places than this are looked for among all entries. */
const mostPlaces = 500;

/** Which part of a snapshot to list: options and directories of `restic ls`. */
interface Scope {
  readonly options: readonly string[];
  readonly directories: readonly string[];
}
const everything: Scope = { options: [], directories: [] };

/** What a snapshot of a tree holds; the path is the snapshot's own, which begins with the tree's name. */
export const snapshotEntries = async function* (
  reader: ResticReader,
  snapshot: string,
  run: StoreRun,
  { options, directories }: Scope = everything,
): AsyncGenerator<ListedEntry, void> {
  const { child, failed } = await reader.start(["ls", "--json", ...options, snapshot, ...directories], run);
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

/** A path of the snapshot as one below the tree's root, which is the empty path. */
export const belowRoot = (path: string): string => path.replace(/^\/[^/]*\/?/, "");

/** Where the selected entries are: no directory besides is read from the repository. */
const scopeOf = async (
  reader: ResticReader,
  snapshot: string,
  { within }: FileSelection,
  run: StoreRun,
): Promise<Scope> => {
  if (within.includes("") || within.length > mostPlaces) return everything;
  for await (const { path } of snapshotEntries(reader, snapshot, run, { options: [], directories: ["/"] }))
    return { options: ["--recursive"], directories: within.map((place) => `${path}/${place}`) };
  return everything; // an empty snapshot
};

/** The selected entries of a snapshot of a tree; paths are the snapshot's own. */
export const selectedEntries = async function* (
  reader: ResticReader,
  snapshot: string,
  selection: FileSelection,
  run: StoreRun,
): AsyncGenerator<ListedEntry, void> {
  const scope = await scopeOf(reader, snapshot, selection, run);
  for await (const entry of snapshotEntries(reader, snapshot, run, scope)) {
    const path = belowRoot(entry.path);
    if (path !== "" && selection.matching(path).length > 0) yield entry;
  }
};
