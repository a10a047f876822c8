import { lstat, readdir, rename } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { TargetNotEmptyError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { type Directory, openChild, openDirectory, openOrMake } from "@openemr-ops/files/directory";
import type { Journal } from "@openemr-ops/files/journal";
import { mountPoints } from "@openemr-ops/files/mounts";
import { moveEntries, type OwnedDirectory, takeOver } from "@openemr-ops/files/ownedDirectory";
import { treeEntry, treeIn } from "./stagedTree.ts";

/** A staging directory and the directory that it lies in, on the file system of the target. */
export interface Stage extends AsyncDisposable {
  readonly outer: Directory;
  readonly staging: OwnedDirectory;
}

/**
 * Makes a staging directory from which one rename publishes the tree: beside the target. Where the target is a mount
 * point, or its parent is not ours to write to, in the target itself.
 *
 * @param target a path without links, absent or an empty directory
 * @throws {TargetNotEmptyError} refused: something is there
 */
export const makeStage = async (journal: Journal, target: string): Promise<Stage> => {
  const taken = await isThere(target);
  if (taken) {
    await using directory = await openDirectory(target);
    if ((await readdir(directory.at)).some((name) => name !== "lost+found"))
      throw new TargetNotEmptyError(`${target} is not empty: name a new directory`);
  }
  if (!taken || !(await isMountPoint(target))) {
    const outer = await openOrMake(dirname(target), 0o777); // whoever reads the tree passes through
    const staging = await journal.make(outer).catch(async (error: unknown) => {
      await outer[Symbol.asyncDispose]();
      if (!taken || !["EACCES", "EPERM", "EROFS"].includes(systemCodeOf(error) ?? "")) throw error;
      return undefined;
    });
    if (staging) return stageOf(outer, staging);
  }
  const outer = await openDirectory(target);
  return stageOf(outer, await journal.make(outer));
};

export const stageOf = (outer: Directory, staging: OwnedDirectory): Stage => ({
  outer,
  staging,
  [Symbol.asyncDispose]: async () => {
    await staging[Symbol.asyncDispose]();
    await outer[Symbol.asyncDispose]();
  },
});

/**
 * Gives the prepared tree its name: by one rename, or entry by entry where the target cannot be replaced. Nothing that
 * is there is overwritten. Called again after an interruption, it goes on.
 *
 * @throws {TargetNotEmptyError} refused: something came to lie there meanwhile
 */
export const publish = async ({ outer, staging }: Stage, target: string): Promise<void> => {
  await using tree = await openChild(staging, treeEntry);
  if (outer.path === target) return await publishEntries(tree, outer);
  const { mode } = await tree.handle.stat();
  await tree.handle.chmod(mode | 0o700); // a directory without it does not move
  const cannot = await rename(treeIn(staging), `${outer.at}/${basename(target)}`).then(
    () => undefined,
    (error: unknown) => error,
  );
  await tree.handle.chmod(mode & 0o7777);
  switch (cannot && systemCodeOf(cannot)) {
    case undefined:
      if (cannot) throw cannot;
      return;
    case "ENOTEMPTY":
    case "EEXIST":
    case "ENOTDIR":
      throw new TargetNotEmptyError(`${target} is no longer empty: look at what came there and remove it`);
    case "EACCES":
    case "EPERM": {
      await using directory = await openChild(outer, basename(target));
      return await publishEntries(tree, directory);
    }
    case "EXDEV":
    case "EBUSY":
      throw new TargetUnsuitableError(`${target} became a mount point meanwhile: give the same command again`);
    default:
      throw cannot;
  }
};

const publishEntries = async (tree: Directory, target: Directory): Promise<void> => {
  await moveEntries(tree, target);
  await takeOver(tree, target);
};

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      if (systemCodeOf(error) === "ENOENT") return false;
      throw error;
    },
  );

const isMountPoint = async (path: string): Promise<boolean> => {
  const wanted = Buffer.from(path).toString("latin1");
  return (await mountPoints()).some((mount) => mount.path === wanted);
};
