import type { Stats } from "node:fs";
import { chmod, chown, lstat, utimes } from "node:fs/promises";
import { orderFreeSum } from "@openemr-ops/database/rowsDigest";
import { isExcluded } from "@openemr-ops/openemr/sitesLayout";

/** Digests of what is in a tree, in whatever order it was listed. Contents of files are no part of it. */
export interface TreeListing {
  /** Of names, kinds and sizes. */
  readonly names: string;
  /** Of rights. Absent where they cannot be the same here. */
  readonly modes?: string;
  /** Of users and groups. Absent likewise. */
  readonly owners?: string;
  /** When each file was last written. Absent likewise. */
  readonly times?: string;
}

export interface ListedEntry {
  readonly kind: "file" | "directory" | "link" | "other";
  /** Below the root, as UTF-8. What is no UTF-8 has the marks that restic puts there. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file. */
  readonly size: number;
  readonly mtimeMs: number;
}

const orderFree = () => {
  const { addHashOf, sha256 } = orderFreeSum();
  return { add: (...fields: readonly (string | number)[]) => addHashOf(JSON.stringify(fields)), sha256 };
};

/** Whole seconds that every disk can keep. */
const secondsOf = (milliseconds: number): number => Math.min(Math.max(Math.floor(milliseconds / 1000), 0), 2 ** 31 - 1);

/** Collects entries; the root itself and what a dump leaves out do not count. */
export const treeListing = () => {
  const names = orderFree();
  const modes = orderFree();
  const owners = orderFree();
  const times = orderFree();
  return {
    add: ({ kind, path: given, mode, uid, gid, size, mtimeMs }: ListedEntry): void => {
      // tar lists a link with where it leads; each unreadable byte is one mark, or several together.
      const path = (kind === "link" ? given.split(" -> ", 1).join() : given).replace(/\ufffd+/g, "\ufffd");
      if (path === "" || isExcluded(path)) return;
      names.add(kind, path, kind === "file" ? size : 0);
      if (kind !== "link") modes.add(path, mode & 0o777);
      owners.add(path, uid, gid);
      if (kind === "file") times.add(path, secondsOf(mtimeMs));
    },
    finish: (): TreeListing => ({
      names: names.sha256(),
      modes: modes.sha256(),
      owners: owners.sha256(),
      times: times.sha256(),
    }),
  };
};

/** @param path one character a byte */
export const entryOnDisk = (
  path: string,
  stats: Omit<ListedEntry, "kind" | "path"> & {
    isFile(): boolean;
    isDirectory(): boolean;
    isSymbolicLink(): boolean;
  },
): ListedEntry => ({
  kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "other",
  path: Buffer.from(path, "latin1").toString("utf8"),
  mode: stats.mode,
  uid: stats.uid,
  gid: stats.gid,
  size: stats.size,
  mtimeMs: stats.mtimeMs,
});

/** Gives the root of a tree other attributes for a moment; tells whether they are to be seen. */
const trials = {
  modes: async (root: string, { mode }: Stats) => {
    await chmod(root, (mode & 0o7777) ^ 0o001);
    return (await lstat(root)).mode !== mode;
  },
  owners: async (root: string, { uid, gid }: Stats) => {
    await chown(root, uid ^ 1, gid ^ 1);
    const now = await lstat(root);
    return now.uid !== uid && now.gid !== gid;
  },
  times: async (root: string) => {
    await utimes(root, 1_000_000_001, 1_000_000_001);
    return (await lstat(root)).mtimeMs === 1_000_000_001_000;
  },
} as const;

/** Whether the disk keeps them: some report success for rights, owners or times and show the same for all files. */
const keeps = async (root: string, what: keyof typeof trials): Promise<boolean> => {
  const before = await lstat(root);
  try {
    return await trials[what](root, before);
  } catch {
    return false;
  } finally {
    if (what === "owners") await chown(root, before.uid, before.gid).catch(() => {});
    await chmod(root, before.mode & 0o7777).catch(() => {});
    await utimes(root, before.atimeMs / 1000, before.mtimeMs / 1000).catch(() => {});
  }
};

/**
 * In what a restored tree differs from the listing of the stored one.
 *
 * @param root the restored tree, which nobody else uses yet
 */
export const listingDifferences = async (
  root: string,
  found: TreeListing,
  listed: TreeListing,
): Promise<readonly string[]> => {
  if (found.names !== listed.names) return ["names, kinds or sizes of files are not those of the dump"];
  const differences: string[] = [];
  for (const [what, words] of [
    ["modes", "rights (modes)"],
    ["owners", "owners"],
    ["times", "times of the last change"],
  ] as const)
    if (listed[what] !== undefined && found[what] !== listed[what] && (await keeps(root, what)))
      differences.push(`${words} of files are not those of the dump`);
  return differences;
};
