import { link, lstat, mkdir, readdir, rename, rm, rmdir, unlink } from "node:fs/promises";
import { TargetNotEmptyError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import type { BytePath } from "./bytePath.ts";
import { type Directory, type DirectoryIdentity, entryOf, isSameDirectory, openChild } from "./directory.ts";

/**
 * A directory that this program made, with mode 0700 and the owner that the file system gives to what we make: nobody
 * else reaches what lies in it. The only one whose contents are ever changed or deleted. It is never taken over by its
 * name, only by what was noted when it was made.
 */
export interface OwnedDirectory extends Directory {
  /** Its name in the directory that it was made in. */
  readonly name: string;
  /** Deletes everything in it. */
  empty(): Promise<void>;
  /** Deletes it and everything in it; its name, if somebody moved it meanwhile, stays. */
  remove(): Promise<void>;
}

const owned = (parent: Directory, name: string, directory: Directory): OwnedDirectory => {
  const empty = async () => {
    for (const entry of await readdir(directory.at, "latin1"))
      await rm(entryOf(directory, entry), { recursive: true, force: true });
  };
  return {
    ...directory,
    name,
    empty,
    remove: async () => {
      await empty();
      await rmdir(`${parent.at}/${name}`).catch((error: unknown) => {
        if (!["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes(systemCodeOf(error) ?? "")) throw error;
      });
    },
  };
};

/** Whether what we make in it gets the owner that it has: NFS and access points of EFS may give our files another than ours. */
const makesSuch = async ({ at }: Directory, uid: number): Promise<boolean> => {
  const trial = `${at}/.openemr-ops-owner`;
  await rmdir(trial).catch(() => {}); // of a run that was killed here
  await mkdir(trial, { mode: 0o700 });
  try {
    return (await lstat(trial)).uid === uid;
  } finally {
    await rmdir(trial);
  }
};

/** Whether it is what `makeOwned` makes, as far as the directory itself shows it. */
const isPrivate = async (directory: Directory): Promise<boolean> => {
  const { uid, mode } = await directory.handle.stat();
  if ((mode & 0o7777) !== 0o700) return false;
  return uid === process.geteuid?.() || makesSuch(directory, uid).catch(() => false);
};

/**
 * Makes a new directory. It fails with EEXIST where something has that name.
 *
 * @throws {TargetUnsuitableError} refused: another user exchanged it at once
 */
export const makeOwned = async (parent: Directory, name: string): Promise<OwnedDirectory> => {
  await mkdir(`${parent.at}/${name}`, { mode: 0o700 });
  const directory = await openChild(parent, name).catch((error: unknown) => {
    throw exchanged(parent, name, error);
  });
  await directory.handle.chmod(0o700).catch(() => {}); // a set-group bit comes from the parent
  if ((await readdir(directory.at)).length === 0 && (await isPrivate(directory))) return owned(parent, name, directory);
  await directory[Symbol.asyncDispose]();
  throw exchanged(parent, name);
};

const exchanged = (parent: Directory, name: string, cause?: unknown): TargetUnsuitableError =>
  new TargetUnsuitableError(
    `${parent.path}/${name} is not the directory that was just made there: another user changes ${parent.path}; choose a place where only this program's user may write`,
    { cause },
  );

/** Opens again what an earlier run made; `undefined` where it is gone, or is anything but that very directory. */
export const reopenOwned = async (
  parent: Directory,
  name: string,
  identity: DirectoryIdentity,
): Promise<OwnedDirectory | undefined> => {
  const directory = await openChild(parent, name).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR", "ELOOP", "EACCES"].includes(systemCodeOf(error) ?? "")) return undefined;
    throw error;
  });
  if (!directory) return undefined;
  // A network file system has another device number on each machine that mounts it; the one in our hands has its parent's.
  const noted = { inode: identity.inode, device: parent.identity.device };
  if (isSameDirectory(directory.identity, noted) && (await isPrivate(directory))) return owned(parent, name, directory);
  await directory[Symbol.asyncDispose]();
  return undefined;
};

/**
 * Moves one entry into another directory of the same file system. Nothing that is there is replaced; an empty directory
 * is no thing.
 *
 * @throws {TargetNotEmptyError} refused: something of that name is there
 */
export const moveEntry = async (from: Directory, name: string, into: Directory): Promise<void> => {
  const [source, target] = [entryOf(from, name), entryOf(into, name)];
  const taken = (cause?: unknown) =>
    new TargetNotEmptyError(`something that was not there before lies in ${into.path}: look at it and remove it`, {
      cause,
    });
  // A rename replaces files, a link does not; directories cannot have two names, and a rename replaces only empty ones.
  const moved = await link(source, target).then(
    () => true,
    async (error: unknown) => {
      const code = systemCodeOf(error) ?? "";
      if (code === "EEXIST") return isSameFile(source, target); // an earlier run got so far
      if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "ENOSYS"].includes(code)) throw error;
      return false;
    },
  );
  if (moved) return unlink(source);
  if ((await lstatIfPresent(target))?.isDirectory() === false) throw taken();
  await rename(source, target).catch((error: unknown) => {
    throw ["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes(systemCodeOf(error) ?? "") ? taken(error) : error;
  });
};

const lstatIfPresent = (path: BytePath) =>
  lstat(path, { bigint: true }).catch((error: unknown) => {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    return undefined;
  });

const isSameFile = async (one: BytePath, other: BytePath): Promise<boolean> => {
  const [first, second] = [await lstatIfPresent(one), await lstatIfPresent(other)];
  return first?.isDirectory() === false && first.dev === second?.dev && first.ino === second.ino;
};

/** Moves all entries but those that `keep` names. */
export const moveEntries = async (
  from: Directory,
  into: Directory,
  keep: (name: string) => boolean = () => false,
): Promise<void> => {
  for (const name of await readdir(from.at, "latin1")) if (!keep(name)) await moveEntry(from, name, into);
};

/** Gives a directory what another one had: owner, as far as this program may, mode and times. */
export const takeOver = async (from: Directory, into: Directory): Promise<void> => {
  const { uid, gid, mode, atime, mtime } = await from.handle.stat();
  await into.handle.chown(uid, gid).catch(() => {});
  await into.handle.chmod(mode & 0o7777);
  await into.handle.utimes(atime, mtime);
};
