import { type FileHandle, open } from "node:fs/promises";
import { SourceUnreadableError } from "@openemr-ops/core/errors";

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** The path, or a directory on the way to it, does not exist. */
export const isAbsent = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");

/** This program's user may not do that. */
export const isRefused = (error: unknown): boolean => ["EPERM", "EACCES"].includes(codeOf(error) ?? "");

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

/**
 * A file's bytes from the start, or `undefined` when there is no such file.
 *
 * @param limit at most so many bytes
 * @throws {SourceUnreadableError} fatal: it exists and cannot be read
 */
export const readIfPresent = async (path: string, what: string, limit = 1 << 20): Promise<Buffer | undefined> => {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, limit));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(what, error);
  } finally {
    await file?.close();
  }
};
