import { randomBytes } from "node:crypto";
import { lstat, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InvalidInputError, localFailure, toOpsError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";

const namedFailure = (error: unknown, path: string) => {
  const code = systemCodeOf(error);
  const unfit =
    code === "ENOENT" || code === "ENOTDIR"
      ? `its directory ${dirname(path)} does not exist`
      : code === "EACCES" || code === "EPERM" || code === "EROFS"
        ? `this user may not write in ${dirname(path)}`
        : undefined;
  if (unfit !== undefined) return new InvalidInputError([{ path: "out", message: unfit }], { cause: error });
  return localFailure(error, "writing", path) ?? toOpsError(error);
};

/**
 * Writes a file that a person named, whole: readers see the old one or the new one. Mode 0600, whatever was there. Safe to
 * repeat; a stop half-way leaves the old one.
 *
 * @throws {InvalidInputError} fatal, with the path `out`: no file can be written there
 * @throws {DiskFullError | LocalSystemError} fatal
 */
export const writeWhole = async (path: string, text: string): Promise<void> => {
  const there = await lstat(path).catch(() => undefined);
  if (there && !there.isFile())
    throw new InvalidInputError([{ path: "out", message: `${path} is no regular file; expected the name of a file` }]);
  const temporary = join(dirname(path), `.openemr-ops-${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw namedFailure(error, path);
  }
};
