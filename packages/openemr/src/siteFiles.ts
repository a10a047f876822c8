import { stat } from "node:fs/promises";
import { readBounded } from "@openemr-ops/core/boundedFile";
import { SourceUnreadableError } from "@openemr-ops/core/errors";

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** The path, or a directory on the way to it, does not exist. */
export const isAbsent = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");

/** This program's user may not do that. A user namespace answers EINVAL for an owner that it does not have. */
export const isRefused = (error: unknown): boolean => ["EPERM", "EACCES", "EINVAL"].includes(codeOf(error) ?? "");

/** The two paths lie on different file systems. */
export const isAcrossDevices = (error: unknown): boolean => codeOf(error) === "EXDEV";

/** Something else than a directory is where a directory shall be. */
export const isInTheWay = (error: unknown): boolean => ["EEXIST", "ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");

/**
 * Gives a failure of the file system its name.
 *
 * @param what names the file for the message; not its path where that could name a patient
 */
export const unreadable = (what: string, error: unknown): SourceUnreadableError =>
  new SourceUnreadableError(
    `cannot read ${what} (${codeOf(error) ?? "unknown cause"}): let this program read the whole sites tree, as root or as the owner`,
    { cause: error },
  );

/** No key, setting or version of a site is larger. Bytes. */
const largest = 1 << 20;

const read = async (path: string, what: string, limit: number) => {
  try {
    return await readBounded(path, limit);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(what, error);
  }
};

/**
 * A small file whole, or `undefined` when there is no such file. Whoever can write to the tree can put anything there: it is
 * never waited for, and takes no more memory than the limit.
 *
 * @param limit bytes
 * @throws {SourceUnreadableError} fatal: it cannot be read, is no regular file, or is larger than any such file
 */
export const readIfPresent = async (path: string, what: string, limit = largest): Promise<Buffer | undefined> => {
  const file = await read(path, what, limit);
  if (file?.kind === "special")
    throw new SourceUnreadableError(
      `cannot read ${what}: it is no regular file; find out who put it there, and remove it`,
    );
  if (file && !file.whole)
    throw new SourceUnreadableError(
      `cannot read ${what}: it is larger than ${limit} bytes, which none of OpenEMR's is`,
    );
  return file?.content;
};

/**
 * The first bytes of a file, or `undefined` when there is no such file, or something else than a file.
 *
 * @throws {SourceUnreadableError} fatal: it cannot be read
 */
export const readStart = async (path: string, what: string, bytes: number): Promise<Buffer | undefined> => {
  const file = await read(path, what, bytes);
  return file?.kind === "file" ? file.content : undefined;
};

/** Whether something has this name. @throws {SourceUnreadableError} fatal: this user may not look */
export const isPresent = async (path: string, what: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw unreadable(what, error);
  }
};
