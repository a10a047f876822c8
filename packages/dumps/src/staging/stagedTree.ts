import type { Stats } from "node:fs";
import { chmod, lchown, lstat, readdir, rename, rmdir, unlink, utimes } from "node:fs/promises";
import { IntegrityError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { type BytePath, bytePath } from "@openemr-ops/files/bytePath";
import { entryOf, openOrMakeChild } from "@openemr-ops/files/directory";
import type { OwnedDirectory } from "@openemr-ops/files/ownedDirectory";
import { isExcluded } from "@openemr-ops/openemr/sitesLayout";
import { walkTree } from "@openemr-ops/openemr/walkTree";
import type { UnpackedSites } from "../store/dumpStore.ts";
import type { NotRestored } from "../store/notRestored.ts";
import { entryOnDisk, type TreeListing, treeListing } from "../store/treeListing.ts";

/** What a dump may carry and no restore makes: rights that no document needs, and what is no document at all. */
export type DroppedKind = "setuid" | "setgid" | "sticky" | "device" | "fifo" | "socket";

export interface Dropped {
  readonly kind: DroppedKind;
  readonly count: number;
}

export interface TakenTree {
  /** Regular files and their bytes, as the dump counted: without caches and markers of running containers. */
  readonly files: number;
  readonly byteLength: number;
  /** Of what came. */
  readonly listing: TreeListing;
  /** Of what is stored, as far as it can be the same here. */
  readonly listed?: TreeListing | undefined;
  readonly dropped: readonly Dropped[];
  /** What could not be set on this machine. */
  readonly notRestored: readonly NotRestored[];
}

const treeName = "tree";
const unpackedName = "unpacked";

/** Where the tree lies in a staging directory, as file system calls take it. */
export const treeIn = (staging: OwnedDirectory): string => `${staging.at}/${treeName}`;
export const treeEntry = treeName;

/**
 * Lets a program unpack the sites tree in a staging directory and takes what came: exactly one entry, a real directory.
 * Nobody else reaches into it, so paths below it mean what they say while it is walked.
 *
 * @param counts which entries belong into `listing`; all, unless only some were unpacked
 * @throws {IntegrityError} fatal: the dump holds anything else, or names of files that lie outside
 */
export const takeTree = async (
  staging: OwnedDirectory,
  unpack: (name: string) => Promise<UnpackedSites>,
  counts: (path: string) => boolean = () => true,
): Promise<TakenTree> => {
  await using unpacked = (await openOrMakeChild(staging, unpackedName)).directory;
  const { notRestored, listed, withoutCapabilities } = await unpack(unpackedName);
  const [name, ...others] = await readdir(unpacked.at, "latin1");
  if (name === undefined) throw new IntegrityError("the dump of the sites tree is empty");
  if (others.length > 0 || !(await lstat(entryOf(unpacked, name))).isDirectory())
    throw new IntegrityError(
      "the dump of the sites tree holds something other than one directory: no dump of this program is so; do not use it",
    );
  await rename(entryOf(unpacked, name), treeIn(staging));
  await rmdir(`${staging.at}/${unpackedName}`);
  return {
    ...(await cleaned(treeIn(staging), withoutCapabilities, counts)),
    notRestored,
    listed: listed && possible(listed, notRestored),
  };
};

/** What could not be set here is not looked for. */
const possible = ({ names, modes, owners, times }: TreeListing, notRestored: readonly NotRestored[]): TreeListing => {
  const lacks = new Set(notRestored.map(({ kind }) => kind));
  return {
    names,
    ...(modes && !lacks.has("mode") ? { modes } : {}),
    ...(owners && !lacks.has("owner") ? { owners } : {}),
    ...(times && !lacks.has("times") ? { times } : {}),
  };
};

const kindOf = (stats: Stats): DroppedKind | undefined => {
  if (stats.isFIFO()) return "fifo";
  if (stats.isSocket()) return "socket";
  return stats.isBlockDevice() || stats.isCharacterDevice() ? "device" : undefined;
};

const bits: readonly (readonly [bit: number, kind: DroppedKind])[] = [
  [0o4000, "setuid"],
  [0o2000, "setgid"],
  [0o1000, "sticky"],
];

const ignoreRefusal = (error: unknown): void => {
  if (!["EPERM", "EINVAL"].includes(systemCodeOf(error) ?? "")) throw error;
};

const cleaned = async (
  root: string,
  withoutCapabilities: boolean,
  belongs: (path: string) => boolean,
): Promise<Omit<TakenTree, "notRestored" | "listed">> => {
  const counts = { files: 0, byteLength: 0 };
  const listing = treeListing();
  const dropped = new Map<DroppedKind, number>();
  const drop = (kind: DroppedKind) => dropped.set(kind, (dropped.get(kind) ?? 0) + 1);
  const names = new Map<string, { readonly expected: bigint; found: bigint }>();
  // Who may not set an owner could not give capabilities either.
  const mayHaveCapabilities = !withoutCapabilities && process.geteuid?.() === 0;

  const visitFile = async (path: string, absolute: BytePath): Promise<void> => {
    const stats = await lstat(absolute);
    const isOther = !stats.isFile() && !stats.isDirectory() && !stats.isSymbolicLink();
    const entry = entryOnDisk(path, stats);
    if (!isOther && belongs(entry.path)) listing.add(entry);
    if (!stats.isFile()) {
      const kind = kindOf(stats);
      if (!kind) return;
      await unlink(absolute);
      return void drop(kind);
    }
    if (!isExcluded(path)) {
      counts.files++;
      counts.byteLength += stats.size;
    }
    if (stats.nlink > 1) {
      const { dev, ino, nlink } = await lstat(absolute, { bigint: true });
      const seen = names.get(`${dev}:${ino}`) ?? { expected: nlink, found: 0n };
      seen.found++;
      names.set(`${dev}:${ino}`, seen);
    }
    for (const [bit, kind] of bits) if (stats.mode & bit) drop(kind);
    // Takes them away.
    if (mayHaveCapabilities) await lchown(absolute, stats.uid, stats.gid).catch(ignoreRefusal);
    if (stats.mode & 0o7000) await chmod(absolute, stats.mode & 0o777);
  };

  let group: Promise<void>[] = [];
  const special = new Map<string, BytePath>();
  for await (const { path, absolute, entry } of walkTree(root)) {
    if (!entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink()) {
      special.set(path, absolute);
      continue;
    }
    group.push(visitFile(path, absolute));
    if (group.length < 48) continue;
    await Promise.all(group);
    group = [];
  }
  await Promise.all(group);
  for (const [path, absolute] of special) {
    const parent = bytePath(root, path.slice(0, Math.max(0, path.lastIndexOf("/"))));
    const { atimeMs, mtimeMs } = await lstat(parent);
    await visitFile(path, absolute);
    await utimes(parent, atimeMs / 1000, mtimeMs / 1000);
  }
  const outside = [...names.values()].filter(({ expected, found }) => found < expected).length;
  if (outside > 0)
    throw new IntegrityError(
      `${outside} files of the restored tree have another name outside of it; do not use this dump`,
    );
  return { ...counts, listing: listing.finish(), dropped: [...dropped].map(([kind, count]) => ({ kind, count })) };
};
