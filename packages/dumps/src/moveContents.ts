import { access, chmod, chown, lstat, readdir, rename, utimes } from "node:fs/promises";
import { join } from "node:path";
import { TargetNotEmptyError } from "@openemr-ops/core/errors";

/**
 * Moves every entry of one directory into another, which takes over its owner, mode and time. Both lie on one file system.
 *
 * @throws {TargetNotEmptyError} refused: an entry of that name is already there
 */
export const moveContents = async (from: string, into: string): Promise<void> => {
  const root = await lstat(from);
  for (const name of await readdir(from)) {
    const target = join(into, name);
    if (
      await access(target).then(
        () => true,
        () => false,
      )
    )
      throw new TargetNotEmptyError(`${target} is already there`);
    await rename(join(from, name), target);
  }
  await chown(into, root.uid, root.gid).catch(() => {});
  await chmod(into, root.mode & 0o7777);
  await utimes(into, root.atime, root.mtime);
};
