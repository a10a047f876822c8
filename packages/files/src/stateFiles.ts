import { randomBytes } from "node:crypto";
import { link, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readBounded } from "@openemr-ops/core/boundedFile";
import { InvalidInputError, localFailure, OpsError, toOpsError } from "@openemr-ops/core/errors";
import { systemCodeOf, systemFailureOf } from "@openemr-ops/core/systemErrors";
import { makeDirectories } from "./makeDirectories.ts";
import { syncDirectory } from "./syncDirectory.ts";

const temporaryPrefix = ".new-";
const staleAfterMilliseconds = 24 * 3600 * 1000;

/**
 * Names a failure to keep state on this machine.
 *
 * @returns {DiskFullError} fatal, {LocalSystemError} fatal for a limit of the machine, or {InvalidInputError} fatal with the
 *   path `stateDirectory`
 */
export const stateFailure = (error: unknown, path: string): OpsError => {
  if (error instanceof OpsError) return error;
  switch (systemFailureOf(error)) {
    case undefined:
      return toOpsError(error);
    case "space":
    case "limit":
      return localFailure(error, "writing", path) ?? toOpsError(error);
    default: {
      const message = `cannot keep files in ${dirname(path)} (${systemCodeOf(error)}): expected a directory that this user may write to, on a disk that works`;
      return new InvalidInputError([{ path: "stateDirectory", message }], { cause: error });
    }
  }
};

const writeBeside = async (path: string, text: string, mode: number): Promise<string> => {
  const temporary = join(dirname(path), `${temporaryPrefix}${randomBytes(9).toString("hex")}`);
  await makeDirectories(dirname(path));
  const handle = await open(temporary, "wx", 0o600);
  try {
    if (mode !== 0o600) await handle.chmod(mode); // whatever the umask is
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
};

/** Writes a small file whole, mode 0600 unless told: readers and crashes see the old text or the new one. Failures: `stateFailure`. */
export const replaceFile = async (path: string, text: string, mode = 0o600): Promise<void> => {
  let temporary: string | undefined;
  try {
    temporary = await writeBeside(path, text, mode);
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
export const createFile = async (path: string, text: string, mode = 0o600): Promise<boolean> => {
  let temporary: string | undefined;
  try {
    temporary = await writeBeside(path, text, mode);
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
