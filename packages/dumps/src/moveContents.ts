import type { Stats } from "node:fs";
import { access, chmod, chown, lstat, readdir, rename, utimes } from "node:fs/promises";
import { TargetNotEmptyError } from "@openemr-ops/core/errors";
import { bytePath } from "@openemr-ops/openemr/walkTree";

/** Gives a directory what another one had: owner, as far as this program may, mode and times. */
export const takeOver = async ({ uid, gid, mode, atime, mtime }: Stats, into: string): Promise<void> => {
  await chown(into, uid, gid).catch(() => {});
  await chmod(into, mode & 0o7777);
  await utimes(into, atime, mtime);
};

/**
 * Moves every entry of one directory into another, which takes over its owner, mode and time. Both lie on one file system.
 *
 * @throws {TargetNotEmptyError} refused: an entry of that name is already there
 */
export const moveContents = async (from: string, into: string): Promise<void> => {
  const root = await lstat(from); // before the moves change its time
  for (const name of await readdir(from, "latin1")) {
    const target = bytePath(into, name);
    if (
      await access(target).then(
        () => true,
        () => false,
      )
    )
      throw new TargetNotEmptyError(`${target} is already there`);
    await rename(bytePath(from, name), target);
  }
  await takeOver(root, into);
};
