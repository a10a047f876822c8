import type { DumpContext } from "../context.ts";
import { selectByPatterns } from "../fileSelection.ts";
import type { Manifest } from "../manifest.ts";
import type { ListedEntry } from "../store/treeListing.ts";
import { chooseDump } from "./listDumps.ts";
import { assertAllMatch } from "./partFiles.ts";

/** What is in a dump, by its manifest. */
export interface BrowsedDump {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly openemr: Manifest["openemr"]["version"];
  readonly sites: readonly string[];
  /** In the dump's order. `bytes`: of the rows as SQL. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly bytes: number }[];
  readonly rows: number;
  readonly databaseBytes: number;
  readonly files: number;
  readonly directories: number;
  readonly filesBytes: number;
}

/** One entry of the stored sites tree. */
export interface BrowsedFile {
  /** Below the sites directory; each byte that is no UTF-8 is U+FFFD. */
  readonly path: string;
  readonly kind: ListedEntry["kind"];
  /** Of a file; 0 for all else. */
  readonly bytes: number;
  /** ISO 8601, UTC. */
  readonly modifiedAt: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
}

/** @throws {DumpNotFoundError | IntegrityError | RepositoryPasswordError} */
export const browseDump = async (context: DumpContext, dump: string): Promise<BrowsedDump> => {
  const { dumpId, takenAt, openemr, database, sites } = await chooseDump(context, dump);
  return {
    dumpId,
    takenAt,
    openemr: openemr.version,
    sites: openemr.sites,
    tables: database.tables.map(({ name, rows, byteLength }) => ({ table: name, rows, bytes: byteLength })),
    rows: database.rows,
    databaseBytes: database.byteLength,
    files: sites.files,
    directories: sites.directories,
    filesBytes: sites.byteLength,
  };
};

/**
 * Lists files of a dump one after the other, in the store's order; restores nothing and needs no room. A restic repository is
 * read as far as it describes their directories, a portable set as a whole.
 *
 * @param patterns see `fileSelection.ts`
 * @throws {InvalidInputError} fatal: a pattern has another form, or matches nothing
 */
export const browseFiles = async (
  context: DumpContext,
  { dump, files: patterns }: { readonly dump: string; readonly files: readonly string[] },
  onFile: (file: BrowsedFile) => Promise<void> | undefined,
): Promise<void> => {
  const selection = selectByPatterns(patterns);
  const manifest = await chooseDump(context, dump);
  const unmatched = new Set(patterns.keys());
  const onEntry = ({ path, kind, size, mtimeMs, mode, uid, gid }: ListedEntry) => {
    for (const number of selection.matching(path)) unmatched.delete(number);
    return onFile({
      path,
      kind,
      bytes: kind === "file" ? size : 0,
      modifiedAt: new Date(mtimeMs).toISOString(),
      mode: (mode & 0o7777).toString(8).padStart(4, "0"),
      uid,
      gid,
    });
  };
  await context.store.listSites(manifest.sites.part, { selection, onEntry }, context);
  assertAllMatch(manifest, [...unmatched], patterns.length);
};
