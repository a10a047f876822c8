import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";

/** What file systems answer that cannot write a directory out by itself: SMB, some of FUSE, some of containers. */
const cannot: ReadonlySet<string> = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EBADF", "EISDIR"]);

/**
 * Writes out which names an open directory has, so that they outlast a power cut.
 *
 * @returns whether this file system can do that; where it cannot, nothing else can either, and the file itself was written out
 * @throws the system's own error for every other failure
 */
export const syncOpenDirectory = async (directory: FileHandle): Promise<boolean> => {
  try {
    await directory.sync();
    return true;
  } catch (error) {
    if (cannot.has(systemCodeOf(error) ?? "")) return false;
    throw error;
  }
};

/** The same, of a directory by its path. */
export const syncDirectory = async (path: string): Promise<boolean> => {
  await using handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  return await syncOpenDirectory(handle);
};
