import { randomBytes } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import {
  type ByteRange,
  boundsOf,
  type Destination,
  type PutReceipt,
  type SourceFile,
  type StoredObject,
} from "@openemr-ops/core/destination";
import { eachObject } from "@openemr-ops/core/eachObject";
import {
  DestinationAccessDeniedError,
  DestinationFullError,
  DestinationMissingError,
  DestinationUnavailableError,
  InvalidInputError,
  localFailure,
  OpsError,
  TargetUnsuitableError,
  toOpsError,
} from "@openemr-ops/core/errors";
import { measuredBody } from "@openemr-ops/core/measuredBody";
import { checkedKey, checkedPrefix, compareKeys } from "@openemr-ops/core/objectKeys";
import { withRenamedErrors } from "@openemr-ops/core/renamedErrors";
import { systemCodeOf, systemFailureOf } from "@openemr-ops/core/systemErrors";
import { type Directory, openDirectory, openOrMakeChild } from "./directory.ts";
import { makeDirectories } from "./makeDirectories.ts";
import { syncDirectory, syncOpenDirectory } from "./syncDirectory.ts";

/** Holds what is being written, on the same file system as the objects, so that one rename publishes it. */
const incoming = ".incoming";
const staleAfterMilliseconds = 24 * 3600 * 1000;

const isAbsent = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"].includes(systemCodeOf(error) ?? "");

interface DirectoryOptions {
  readonly now?: () => Date;
  readonly warn?: (message: string) => void;
}

/**
 * A directory as destination, made when first written to. Directories get mode 0700, objects 0600. An object is
 * written beside its place, flushed, then renamed; a crash leaves at most a file in `.incoming/`, which is never listed
 * and goes after a day. Symbolic links below the directory are not followed.
 *
 * @param directory absolute path of a local or mounted directory
 * @param options.now for telling what is stale
 * @param options.warn told once where the file system cannot promise that what was written outlasts a power cut
 */
export const fileDestination = (
  directory: string,
  { now = () => new Date(), warn = () => undefined }: DirectoryOptions = {},
): Destination => {
  const root = resolve(directory);
  const url = pathToFileURL(root).href;
  let swept = false;

  const failure = (error: unknown, doing: string): OpsError => {
    if (error instanceof OpsError) return error;
    const code = systemCodeOf(error);
    const said = `${doing} ${url} failed (${code})`;
    const options = { cause: error };
    switch (systemFailureOf(error)) {
      case undefined:
        return toOpsError(error);
      case "space":
        return new DestinationFullError(`${said}: free space or raise the quota`, options);
      case "refused":
        return new DestinationAccessDeniedError(`${said}: give this user the right to read and write there`, options);
      case "place":
        return new DestinationMissingError(
          `${said}: a directory is needed where something else is, or it was removed`,
          options,
        );
      case "limit":
        return localFailure(error, doing, url) ?? toOpsError(error);
      case "network":
      case "fault":
        return new DestinationUnavailableError(`${said}: the file system does not answer as it should`, options);
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

  let warned = false;
  /** What is not written out outlasts no power cut; that is said once, and is no reason to have no dump. */
  const sync = async (directory: string | FileHandle): Promise<void> => {
    const done = await (typeof directory === "string" ? syncDirectory(directory) : syncOpenDirectory(directory));
    if (done || warned) return;
    warned = true;
    warn(
      `the file system of ${url} cannot write out directories: a power cut there may undo the last dump; keep dumps on another file system too, or check after a power cut`,
    );
  };

  const openRoot = async (): Promise<Directory> => {
    const open = async () => openDirectory(await realpath(root));
    return open().catch(async (error: unknown) => {
      if (error instanceof TargetUnsuitableError && error.cause) throw error.cause; // a file stands there
      if (systemCodeOf(error) !== "ENOENT") throw error;
      for (const made of (await makeDirectories(root)).toReversed()) await sync(dirname(made));
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
        if (child.made) await sync(parent.handle);
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
        // Not its time of modification, which is that of the file it is a copy of.
        if ((await lstat(path)).ctimeMs < oldest) await rm(path, { force: true });
      } catch (error) {
        if (systemCodeOf(error) !== "ENOENT") throw error; // another put has published it meanwhile
      }
    }
  };

  const write = async (path: string, stream: Readable, source: SourceFile | undefined): Promise<string> => {
    await using top = await openRoot();
    await using folder = await openFolder(top, incoming);
    const name = randomBytes(12).toString("hex");
    const temporary = `${folder.at}/${name}`;
    await sweep(folder);
    const handle = await open(temporary, "wx", 0o600);
    let etag: string;
    try {
      try {
        for await (const chunk of stream) await writeWhole(handle, chunk);
        if (source) await handle.utimes(new Date(), secondsOf(source.modifiedNs));
        await handle.sync();
        etag = etagOf(await handle.stat({ bigint: true }));
      } finally {
        await handle.close();
      }
      await publish(name, path);
      return etag;
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
      await sync(into.handle);
    } catch (error) {
      if (attempts <= 1 || systemCodeOf(error) !== "ENOENT") throw error;
      await publish(name, path, attempts - 1);
    }
  };

  const put = async (key: string, body: Readable | Buffer, source?: SourceFile): Promise<PutReceipt> => {
    const measured = measuredBody(body);
    try {
      const etag = await write(pathOf(key), measured.stream, source);
      return { ...measured.receipt(), etag };
    } catch (error) {
      throw measured.failure() ?? failure(error, `writing ${key} to`);
    } finally {
      measured.stream.destroy();
    }
  };

  const get = async (key: string, range?: ByteRange): Promise<Readable | undefined> => {
    const path = pathOf(key);
    try {
      await refuseEscape(path);
      const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK); // a pipe would block
      const stats = await handle.stat();
      if (stats.isFile())
        return withRenamedErrors(handle.createReadStream(boundsOf(range)), (error) =>
          failure(error, `reading ${key} from`),
        );
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
      const stats = await lstat(path, { bigint: true });
      return stats.isFile() ? { ...storedAs(key, stats), source: { modifiedNs: stats.mtimeNs } } : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw failure(error, `looking at ${key} in`);
    }
  };

  /** What a directory has between two of its directories is given together. */
  async function* walk(folder: string, prefix: string): AsyncGenerator<readonly StoredObject[]> {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw error;
    });
    const found = entries
      .filter((entry) => (entry.isFile() || entry.isDirectory()) && !(folder === "" && entry.name === incoming))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .sort(compareKeys);
    let together: StoredObject[] = [];
    for (const name of found) {
      if (name.endsWith("/")) {
        if (!name.startsWith(prefix) && !prefix.startsWith(name)) continue;
        yield together;
        together = [];
        yield* walk(name, prefix);
      } else if (name.startsWith(prefix)) {
        const stats = await lstat(join(root, name), { bigint: true }).catch((error: unknown) => {
          if (isAbsent(error)) return undefined; // deleted since the directory was read
          throw error;
        });
        if (stats) together.push(storedAs(name, stats));
      }
    }
    yield together;
  }

  async function* listPages(prefix: string): AsyncGenerator<readonly StoredObject[]> {
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
    if (path === root) return sync(path);
    try {
      await rmdir(path);
    } catch (error) {
      if (["ENOTEMPTY", "EEXIST"].includes(systemCodeOf(error) ?? "")) return sync(path);
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
      if (isAbsent(error) || systemCodeOf(error) === "ERR_FS_EISDIR") return;
      throw failure(error, `deleting ${key} from`);
    }
  };

  const list = (prefix: string) => eachObject(listPages(prefix));
  return { url, put, get, describe, list, listPages, delete: remove };
};

/** Node sets times to the microsecond; the third of one more keeps the nearest double from falling below it. */
const secondsOf = (nanoseconds: bigint): number => (Number(nanoseconds / 1000n) + 1 / 3) / 1e6;

/** A rename gives a file no other number, and a write another one or another time. */
const etagOf = ({ ino, mtimeNs }: BigIntStats): string => `${ino.toString(36)}-${mtimeNs.toString(36)}`;

const storedAs = (key: string, stats: BigIntStats): StoredObject => ({
  key,
  byteLength: Number(stats.size),
  modifiedAt: stats.mtime,
  etag: etagOf(stats),
});

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
