import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import type { Destination, PutReceipt, StoredObject } from "@openemr-ops/core/destination";
import {
  DestinationAccessDeniedError,
  DestinationFullError,
  DestinationMissingError,
  DestinationUnavailableError,
  InvalidInputError,
  OpsError,
  TargetUnsuitableError,
  toOpsError,
} from "@openemr-ops/core/errors";
import { measuredBody } from "@openemr-ops/core/measuredBody";
import { checkedKey, checkedPrefix, compareKeys } from "@openemr-ops/core/objectKeys";
import { withRenamedErrors } from "@openemr-ops/core/renamedErrors";
import { type Directory, openDirectory, openOrMakeChild } from "./directory.ts";

/** Holds what is being written, on the same file system as the objects, so that one rename publishes it. */
const incoming = ".incoming";
const staleAfterMilliseconds = 24 * 3600 * 1000;

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

const isAbsent = (error: unknown): boolean => ["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"].includes(codeOf(error) ?? "");

/**
 * A directory as destination, made when first written to. Directories get mode 0700, objects 0600. An object is
 * written beside its place, flushed, then renamed; a crash leaves at most a file in `.incoming/`, which is never listed
 * and goes after a day. Symbolic links below the directory are not followed.
 *
 * @param directory absolute path of a local or mounted directory
 * @param options.now for telling what is stale
 */
export const fileDestination = (
  directory: string,
  { now = () => new Date() }: { readonly now?: () => Date } = {},
): Destination => {
  const root = resolve(directory);
  const url = pathToFileURL(root).href;
  let swept = false;

  const failure = (error: unknown, doing: string): OpsError => {
    if (error instanceof OpsError) return error;
    const code = codeOf(error);
    const said = `${doing} ${url} failed${code ? ` (${code})` : ""}`;
    switch (code) {
      case "ENOSPC":
      case "EDQUOT":
      case "EFBIG":
        return new DestinationFullError(`${said}: free space or raise the quota`, { cause: error });
      case "EACCES":
      case "EPERM":
      case "EROFS":
        return new DestinationAccessDeniedError(`${said}: give this user the right to read and write there`, {
          cause: error,
        });
      case "ENOENT":
      case "ENOTDIR":
      case "EISDIR":
      case "ENOTEMPTY":
      case "EEXIST":
        return new DestinationMissingError(
          `${said}: a directory is needed where something else is, or it was removed`,
          {
            cause: error,
          },
        );
      case "EIO":
      case "ESTALE":
      case "ENOTCONN":
      case "ETIMEDOUT":
      case "EHOSTDOWN":
      case "EBUSY":
      case "ENXIO":
        return new DestinationUnavailableError(`${said}: the file system does not answer as it should`, {
          cause: error,
        });
      default:
        return toOpsError(error);
    }
  };

  const pathOf = (key: string): string => {
    if (key.split("/")[0] === incoming) {
      throw new InvalidInputError([{ path: "key", message: `${incoming}/ is the destination's own` }]);
    }
    return join(root, checkedKey(key));
  };

  /** Links planted below the root must not lead reads or writes elsewhere. */
  const refuseEscape = async (path: string): Promise<void> => {
    const [realRoot, realParent] = await Promise.all([realpath(root), realpath(dirname(path))]);
    if (relative(realRoot, realParent) !== relative(root, dirname(path))) {
      throw linkedAway();
    }
  };

  const linkedAway = () => new DestinationAccessDeniedError(`a symbolic link inside ${url} leads elsewhere: remove it`);

  const syncDirectory = async (path: string): Promise<void> => {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  };

  const openRoot = async (): Promise<Directory> => {
    const open = async () => openDirectory(await realpath(root));
    return open().catch(async (error: unknown) => {
      if (error instanceof TargetUnsuitableError && error.cause) throw error.cause; // a file stands there
      if (codeOf(error) !== "ENOENT") throw error;
      const firstMade = await mkdir(root, { recursive: true, mode: 0o700 });
      if (firstMade !== undefined)
        for (let made = root; made.length >= firstMade.length; made = dirname(made)) await syncDirectory(dirname(made));
      return open();
    });
  };

  /** Opens a folder and makes what is absent of it, name by name: nothing is made behind a planted link. */
  const openFolder = async (top: Directory, folder: string): Promise<Directory> => {
    let directory = top;
    for (const name of folder.split("/")) {
      const parent = directory;
      try {
        const child = await openOrMakeChild(parent, name);
        directory = child.directory;
        if (child.made) await parent.handle.sync();
      } catch (error) {
        throw (await lstat(`${parent.at}/${name}`)).isSymbolicLink() ? linkedAway() : error;
      } finally {
        if (parent !== top) await parent[Symbol.asyncDispose]();
      }
    }
    return directory;
  };

  const sweep = async (folder: Directory): Promise<void> => {
    if (swept) return;
    swept = true;
    for (const name of await readdir(folder.at)) {
      const path = `${folder.at}/${name}`;
      const oldest = now().getTime() - staleAfterMilliseconds;
      try {
        if ((await lstat(path)).mtimeMs < oldest) await rm(path, { force: true });
      } catch (error) {
        if (codeOf(error) !== "ENOENT") throw error; // another put has published it meanwhile
      }
    }
  };

  const write = async (path: string, stream: Readable): Promise<void> => {
    await using top = await openRoot();
    await using folder = await openFolder(top, incoming);
    const name = randomBytes(12).toString("hex");
    const temporary = `${folder.at}/${name}`;
    await sweep(folder);
    const handle = await open(temporary, "wx", 0o600);
    try {
      try {
        for await (const chunk of stream) await writeWhole(handle, chunk);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await publish(name, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  };

  /** A delete beside us may take away the directory that we just made, since it leaves no empty ones: then make it again. */
  const publish = async (name: string, path: string, attempts = 5): Promise<void> => {
    try {
      // Looked up again: in a directory that was moved away meanwhile nobody would find what is published.
      await using top = await openRoot();
      await using from = await openFolder(top, incoming);
      await using folder = dirname(path) === root ? undefined : await openFolder(top, relative(root, dirname(path)));
      const into = folder ?? top;
      await rename(`${from.at}/${name}`, `${into.at}/${basename(path)}`);
      await into.handle.sync();
    } catch (error) {
      if (attempts <= 1 || codeOf(error) !== "ENOENT") throw error;
      await publish(name, path, attempts - 1);
    }
  };

  const put = async (key: string, body: Readable | Buffer): Promise<PutReceipt> => {
    const measured = measuredBody(body);
    try {
      await write(pathOf(key), measured.stream);
      return measured.receipt();
    } catch (error) {
      throw measured.failure() ?? failure(error, `writing ${key} to`);
    } finally {
      measured.stream.destroy();
    }
  };

  const get = async (key: string): Promise<Readable | undefined> => {
    const path = pathOf(key);
    try {
      await refuseEscape(path);
      const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK); // a pipe would block
      const stats = await handle.stat();
      if (stats.isFile())
        return withRenamedErrors(handle.createReadStream(), (error) => failure(error, `reading ${key} from`));
      await handle.close();
      return undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw failure(error, `reading ${key} from`);
    }
  };

  const describe = async (key: string): Promise<StoredObject | undefined> => {
    const path = pathOf(key);
    try {
      await refuseEscape(path);
      const stats = await lstat(path);
      return stats.isFile() ? { key, byteLength: stats.size, modifiedAt: stats.mtime } : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw failure(error, `looking at ${key} in`);
    }
  };

  async function* walk(folder: string, prefix: string): AsyncGenerator<StoredObject> {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw error;
    });
    const found = entries
      .filter((entry) => (entry.isFile() || entry.isDirectory()) && !(folder === "" && entry.name === incoming))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .sort(compareKeys);
    for (const name of found) {
      if (name.endsWith("/")) {
        if (name.startsWith(prefix) || prefix.startsWith(name)) yield* walk(name, prefix);
      } else if (name.startsWith(prefix)) {
        const stats = await lstat(join(root, name)).catch((error: unknown) => {
          if (isAbsent(error)) return undefined; // deleted since the directory was read
          throw error;
        });
        if (stats) yield { key: name, byteLength: stats.size, modifiedAt: stats.mtime };
      }
    }
  }

  async function* list(prefix: string): AsyncGenerator<StoredObject> {
    checkedPrefix(prefix);
    const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    try {
      if (start !== "" && !(await isPlainDirectory(root, start))) return;
      yield* walk(start, prefix);
    } catch (error) {
      throw failure(error, "listing");
    }
  }

  const leaveNoEmptyDirectory = async (path: string): Promise<void> => {
    if (path === root) return syncDirectory(path);
    try {
      await rmdir(path);
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST"].includes(codeOf(error) ?? "")) return syncDirectory(path);
      if (!isAbsent(error)) throw error;
    }
    await leaveNoEmptyDirectory(dirname(path));
  };

  const remove = async (key: string): Promise<void> => {
    const path = pathOf(key);
    try {
      await refuseEscape(path);
      await rm(path);
      await leaveNoEmptyDirectory(dirname(path));
    } catch (error) {
      if (isAbsent(error) || codeOf(error) === "ERR_FS_EISDIR") return;
      throw failure(error, `deleting ${key} from`);
    }
  };

  return { url, put, get, describe, list, delete: remove };
};

const writeWhole = async (handle: FileHandle, chunk: Buffer): Promise<void> => {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await handle.write(chunk, written);
    written += bytesWritten;
  }
};

/** Whether `folder` below `root` is reached through real directories alone. */
const isPlainDirectory = async (root: string, folder: string): Promise<boolean> => {
  try {
    return (
      (await realpath(join(root, folder))) ===
      join(await realpath(root), folder.split("/").join(sep)).replace(/\/$/, "")
    );
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
};
