import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readBounded } from "@openemr-ops/core/boundedFile";
import { DiskFullError, InvalidInputError, OpsError, toOpsError } from "@openemr-ops/core/errors";

const temporaryPrefix = ".new-";
const staleAfterMilliseconds = 24 * 3600 * 1000;

/** The code that Node gives a failed system call, such as `ENOENT`. */
export const systemCodeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/**
 * Names a failure to keep state on this machine.
 *
 * @returns {DiskFullError} fatal, or {InvalidInputError} fatal with the path `stateDirectory`
 */
export const stateFailure = (error: unknown, path: string): OpsError => {
  if (error instanceof OpsError) return error;
  const code = systemCodeOf(error);
  const options = { cause: error };
  if (code === "ENOSPC" || code === "EDQUOT") return new DiskFullError(`no space left to write ${path}`, options);
  if (code !== undefined && ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ELOOP"].includes(code)) {
    const message = `cannot keep files in ${dirname(path)} (${code}): expected a directory that this user may write to`;
    return new InvalidInputError([{ path: "stateDirectory", message }], options);
  }
  return toOpsError(error);
};

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const writeBeside = async (path: string, text: string): Promise<string> => {
  const temporary = join(dirname(path), `${temporaryPrefix}${randomBytes(9).toString("hex")}`);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
};

/** Writes a small file whole, mode 0600: readers and crashes see the old text or the new one. Failures: `stateFailure`. */
export const replaceFile = async (path: string, text: string): Promise<void> => {
  let temporary: string | undefined;
  try {
    temporary = await writeBeside(path, text);
    await rename(temporary, path);
    temporary = undefined;
    await syncDirectory(dirname(path));
  } catch (error) {
    throw stateFailure(error, path);
  } finally {
    if (temporary) await rm(temporary, { force: true });
  }
};

/** As `replaceFile`, but never replaces: of several that try at once, exactly one gets `true`. A link is atomic on NFS too. */
export const createFile = async (path: string, text: string): Promise<boolean> => {
  let temporary: string | undefined;
  try {
    temporary = await writeBeside(path, text);
    await link(temporary, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw stateFailure(error, path);
  } finally {
    if (temporary) await rm(temporary, { force: true });
  }
};

/** No state that these functions write is larger. Bytes. */
const largestState = 1024 * 1024;

/**
 * A file of state whole, or `undefined` when there is none. Whatever lies there instead is never waited for, and takes no
 * more memory than the limit.
 *
 * @param limit bytes
 * @throws {InvalidInputError} fatal, with the path `stateDirectory`: it is no file of this program's, or cannot be read
 */
export const readState = async (path: string, limit = largestState): Promise<Buffer | undefined> => {
  const foreign = (what: string) => {
    const message = `${path} is ${what}, which no file of this program is: look who put it there, and remove it`;
    return new InvalidInputError([{ path: "stateDirectory", message }]);
  };
  const file = await readBounded(path, limit).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw stateFailure(error, path);
  });
  if (file?.kind === "special") throw foreign(file.directory ? "a directory" : "no regular file");
  if (file && !file.whole) throw foreign(`larger than ${limit} bytes`);
  return file?.content;
};

/** Names in a directory that these functions write to, without unfinished files; those older than a day are removed. */
export const stateFiles = async (directory: string, now: Date): Promise<readonly string[]> => {
  const names = await readdir(directory).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw stateFailure(error, join(directory, basename(directory)));
  });
  for (const name of names.filter((each) => each.startsWith(temporaryPrefix))) {
    const path = join(directory, name);
    const changed = await stat(path).catch(() => undefined);
    if (changed && now.getTime() - changed.mtimeMs > staleAfterMilliseconds) await rm(path, { force: true });
  }
  return names.filter((name) => !name.startsWith(temporaryPrefix));
};
