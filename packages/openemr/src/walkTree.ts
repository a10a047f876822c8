import type { Dir, Dirent } from "node:fs";
import { opendir } from "node:fs/promises";
import { type BytePath, bytePath } from "@openemr-ops/files/bytePath";
import { publicPlace } from "./publicPlace.ts";
import { isAbsent, isRefused, unreadable } from "./siteFiles.ts";

/** One entry below the root of a tree. */
export interface WalkedEntry {
  /** Below the root, one character a byte (Latin-1), `/` between names. */
  readonly path: string;
  /** What the file system calls take. */
  readonly absolute: BytePath;
  readonly entry: Dirent;
}

/**
 * Every entry below a directory, links themselves and not what they point to. Directories that disappear meanwhile are
 * passed over, for the application keeps running.
 *
 * @param passOver entries to leave out, with all below them
 * @param onRefused called for a directory that this user may not read; not set, it ends the walk
 * @throws {SourceUnreadableError} fatal: a directory cannot be read
 */
export const walkTree = async function* (
  root: string,
  passOver: (path: string) => boolean = () => false,
  onRefused?: (path: string) => void,
): AsyncGenerator<WalkedEntry, void> {
  const pending = [""];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    const directory = await opendir(bytePath(root, below), { bufferSize: 512, encoding: "latin1" }).catch(
      (error: unknown) => {
        if (isAbsent(error)) return undefined;
        if (onRefused && isRefused(error)) return onRefused(below);
        throw unreadable(`the directory ${publicPlace(below)} of the sites tree`, error);
      },
    );
    if (directory === undefined) continue;
    for await (const entry of entriesOf(directory)) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (passOver(path)) continue;
      if (entry.isDirectory()) pending.push(path);
      yield { path, absolute: bytePath(root, path), entry };
    }
  }
};

const entriesOf = async function* (directory: Dir): AsyncGenerator<Dirent, void> {
  try {
    yield* directory;
  } catch (error) {
    throw error instanceof Error && "syscall" in error ? unreadable("a directory of the sites tree", error) : error;
  }
};
