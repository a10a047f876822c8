import { constants } from "node:fs";
import { access, type FileHandle, mkdir, open, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { type BytePath, bytePath } from "./bytePath.ts";

/** Which directory of which file system: tells it from any other that gets its name. */
export interface DirectoryIdentity {
  readonly device: string;
  readonly inode: string;
}

/**
 * An open directory. Calls that begin with `at` reach this very directory, whatever happens to its name or of the
 * directories above: a renamed parent or a link put in its place leads nowhere else.
 */
export interface Directory extends AsyncDisposable {
  /** Where it lay when it was opened, without links; for messages. */
  readonly path: string;
  /** What file system calls take in place of `path`; programs that are started get it as their working directory. */
  readonly at: string;
  readonly handle: FileHandle;
  readonly identity: DirectoryIdentity;
}

const descriptors = "/proc/self/fd";

/** A path below an open directory; the name is Latin-1, one character a byte. */
export const entryOf = (directory: Pick<Directory, "at">, name: string): BytePath => bytePath(directory.at, name);

export const isSameDirectory = (one: DirectoryIdentity, other: DirectoryIdentity): boolean =>
  one.device === other.device && one.inode === other.inode;

const linkInTheWay = (path: string, error: unknown): unknown =>
  ["ELOOP", "ENOTDIR"].includes(systemCodeOf(error) ?? "")
    ? new TargetUnsuitableError(`${path} is not a directory, or a link leads to one: name the directory itself`, {
        cause: error,
      })
    : error;

const opened = async (call: string, path: string): Promise<Directory> => {
  const handle = await open(call, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { dev, ino } = await handle.stat({ bigint: true });
    return {
      path,
      at: `${descriptors}/${handle.fd}`,
      handle,
      identity: { device: String(dev), inode: String(ino) },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

/**
 * Opens a directory by a path that has no links in it. One that is moved away meanwhile is absent: ENOENT.
 *
 * @throws {TargetUnsuitableError} refused: a link is on the way, or this system does not show open files in /proc
 */
export const openDirectory = async (path: string, attempts = 3): Promise<Directory> => {
  const directory = await opened(path, path).catch((error: unknown) => {
    throw linkInTheWay(path, error);
  });
  const found = await readlink(directory.at).catch(() => undefined);
  if (found === path) return directory;
  await directory[Symbol.asyncDispose]();
  if (found !== undefined && attempts > 1) return openDirectory(path, attempts - 1);
  throw new TargetUnsuitableError(
    found === undefined
      ? `${descriptors} cannot be read: mount /proc, without it no directory can be held on to`
      : `${path} changed while it was opened: make sure that no one else moves directories or makes links there`,
  );
};

/** Opens a directory in another one; a link of that name is not followed. Fails with ENOENT, or ENOTDIR for all else. */
export const openChild = async (parent: Directory, name: string): Promise<Directory> =>
  opened(`${parent.at}/${name}`, join(parent.path, name));

/** The same, and makes what is absent, for our own user alone unless another mode is given. Answers whether it did. */
export const openOrMakeChild = async (
  parent: Directory,
  name: string,
  mode = 0o700,
): Promise<{ readonly directory: Directory; readonly made: boolean }> => {
  const found = await openChild(parent, name).catch((error: unknown) => {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    return undefined;
  });
  if (found) return { directory: found, made: false };
  await mkdir(`${parent.at}/${name}`, { mode }).catch((error: unknown) => {
    if (systemCodeOf(error) !== "EEXIST") throw error; // made by another run meanwhile
  });
  return { directory: await openChild(parent, name), made: true };
};

/**
 * Opens a directory by its real path and makes what is absent of it, one name after the other.
 *
 * @param mode of directories that are made, less the umask: for our own user alone unless others have to pass
 */
export const openOrMake = async (path: string, mode = 0o700): Promise<Directory> => {
  const absent: string[] = [];
  let existing = path;
  while (!(await isThere(existing))) {
    absent.unshift(basename(existing));
    existing = dirname(existing);
  }
  let directory = await openDirectory(existing);
  for (const name of absent) {
    await using parent = directory;
    const child = openOrMakeChild(parent, name, mode).catch((error: unknown) => {
      throw linkInTheWay(join(parent.path, name), error);
    });
    directory = (await child).directory;
  }
  return directory;
};

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => systemCodeOf(error) !== "ENOENT",
  );

/** The path itself, or the nearest one above it that exists. @throws the file system's own error */
export const nearestExisting = async (path: string): Promise<string> => {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    return nearestExisting(dirname(path));
  }
};

/**
 * The path without links: of as much of it as exists, with the rest as written.
 *
 * @throws {TargetUnsuitableError} refused: something above it is no directory
 */
export const realPlace = async (path: string): Promise<string> => {
  try {
    return await realpath(path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOTDIR" || code === "ELOOP")
      throw new TargetUnsuitableError(
        `${path} lies below a file, or below a link that leads to itself: name another place`,
        {
          cause: error,
        },
      );
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    return join(await realPlace(dirname(path)), basename(path));
  }
};
