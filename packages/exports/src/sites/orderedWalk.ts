import { type BigIntStats, type Dirent, lstatSync, opendirSync } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { type BytePath, bytePath } from "@openemr-ops/files/bytePath";
import { directoryWithheldBy, fileWithheldBy, type WithheldBy } from "@openemr-ops/openemr/withheldFiles";
import { segmentOf } from "./objectNames.ts";
import { Pace } from "./pace.ts";

interface Place {
  /** Below `sites/`, bytes as in `objectNames.ts`. Of a directory, with the `/` at its end. */
  readonly key: string;
  /** Below the sites directory, one character a byte. */
  readonly path: string;
}

export type FoundEntry = Place &
  (
    | { readonly kind: "file"; readonly byteLength: number; readonly modifiedNs: bigint }
    /** Not a regular file; a link is not followed. */
    | { readonly kind: "skipped"; readonly reason: SkippedKind }
    | { readonly kind: "unreadable"; readonly reason: string }
  );

export type SkippedKind = "symbolic link" | "socket" | "pipe" | "device" | "unknown kind of file";

/** Entries whose names or states are read before they are needed. */
const ahead = 48;
/** Entries that are given together. */
const inBatch = 64;
/** Names in directories that are read ahead: in one, and together. A larger directory is read when its turn comes. */
const namesAhead = { one: 2000, all: 60_000 };

type Kind = "d" | "f" | "l" | "s" | "p" | "c" | "?";

/** An entry of a directory: `key`'s last segment, a `\0` that sorts before every other byte, its kind. */
const entryOf = (segment: string, kind: Kind): string => `${segment}${kind === "d" ? "/" : ""}\0${kind}`;

const kindOf = (
  entry: Pick<
    Dirent,
    "isFile" | "isDirectory" | "isSymbolicLink" | "isSocket" | "isFIFO" | "isBlockDevice" | "isCharacterDevice"
  >,
): Kind => {
  if (entry.isFile()) return "f";
  if (entry.isDirectory()) return "d";
  if (entry.isSymbolicLink()) return "l";
  if (entry.isSocket()) return "s";
  if (entry.isFIFO()) return "p";
  return entry.isBlockDevice() || entry.isCharacterDevice() ? "c" : "?";
};
const skippedKinds: Readonly<Record<string, SkippedKind>> = {
  l: "symbolic link",
  s: "socket",
  p: "pipe",
  c: "device",
};

interface Directory {
  readonly place: Place;
  /** Sorted. */
  readonly entries: readonly string[];
  /** Its key is its path. */
  readonly isPlain: boolean;
  /** Names that differ from their segments. */
  readonly names: ReadonlyMap<string, string>;
  /** What has been begun of the entries from `next` on. */
  readonly begun: (Promise<Begun> | Begun)[];
  next: number;
}

type Begun = FoundEntry | Directory | { readonly later: Place } | undefined;

/** Milliseconds that a call takes at most when it is answered from memory. */
const quickState = 0.2;
const quickDirectory = 1;

const isGone = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "");

/**
 * Every entry of the sites tree that may leave, in the order of their keys' bytes. Names and states are read ahead, so that a
 * network file system answers many questions at once; memory does not grow with the tree, but with its largest directory.
 * What has gone since its directory was read is passed over.
 *
 * @param withheld is called with the rule for each file that stays; nothing is asked of these files
 */
export const orderedWalk = async function* (
  root: string,
  withheld: (rule: WithheldBy) => void,
): AsyncGenerator<readonly FoundEntry[], void> {
  let named = 0;
  const pace = new Pace();

  const found = ({ key, path }: Place, stats: BigIntStats): Begun => {
    if (stats.isFile()) return { key, path, kind: "file", byteLength: Number(stats.size), modifiedNs: stats.mtimeNs };
    if (stats.isDirectory()) return undefined; // another thing than when its directory was read: the next run sees it
    return { key, path, kind: "skipped", reason: skippedKinds[kindOf(stats)] ?? "unknown kind of file" };
  };
  const failed = ({ key, path }: Place, error: unknown): Begun =>
    isGone(error) ? undefined : { key, path, kind: "unreadable", reason: systemCodeOf(error) ?? "unknown" };

  const look = (place: Place): Promise<Begun> | Begun => {
    try {
      const full = bytePath(root, place.path);
      if (pace.isQuick())
        return found(
          place,
          pace.timed(() => lstatSync(full, { bigint: true }), quickState),
        );
      return lstat(full, { bigint: true }).then(
        (stats) => found(place, stats),
        (error: unknown) => failed(place, error),
      );
    } catch (error) {
      return failed(place, error);
    }
  };

  const read = async (place: Place, most: number): Promise<Begun> => {
    const entries: string[] = [];
    const names = new Map<string, string>();
    const { path } = place;
    const add = (name: string, kind: Kind): void => {
      const segment = segmentOf(name, path === "");
      if (segment !== name) names.set(segment, name);
      entries.push(entryOf(segment, kind));
    };
    const pathOf = (name: string): string => (path === "" ? name : `${path}/${name}`);
    const fullPathOf = (name: string): BytePath => bytePath(root, pathOf(name));

    /** @returns whether that was all of it */
    const readNow = (): boolean => {
      const directory = opendirSync(bytePath(root, path), { encoding: "latin1", bufferSize: 64 });
      try {
        for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
          if (entries.length >= most) return false;
          const kind = kindOf(entry);
          add(entry.name, kind === "?" ? kindOf(lstatSync(fullPathOf(entry.name))) : kind);
        }
        return true;
      } finally {
        directory.closeSync();
      }
    };
    const readLater = async (): Promise<boolean> => {
      const bufferSize = most > namesAhead.one ? 1024 : 64;
      const directory = await opendir(bytePath(root, path), { encoding: "latin1", bufferSize });
      for await (const entry of directory) {
        if (entries.length >= most) return false;
        const kind = kindOf(entry);
        add(entry.name, kind === "?" ? kindOf(await lstat(fullPathOf(entry.name))) : kind);
      }
      return true;
    };
    try {
      const isSmall = most <= namesAhead.one;
      const isAll = isSmall && pace.isQuick() ? pace.timed(readNow, quickDirectory) : await readLater();
      if (!isAll) return { later: place };
    } catch (error) {
      return isGone(error) && path !== ""
        ? undefined
        : { ...place, kind: "unreadable", reason: systemCodeOf(error) ?? "unknown" };
    }
    const isPlain = place.key === pathOf("");
    return { place, isPlain, entries: entries.sort(), names, begun: [], next: 0 };
  };

  const readAhead = async (place: Place): Promise<Begun> => {
    if (named > namesAhead.all) return { later: place };
    const found = await read(place, namesAhead.one);
    if (found && "entries" in found) {
      named += found.entries.length;
      begin(found, 8);
    }
    return found;
  };

  const begin = (directory: Directory, count = ahead): void => {
    const { place, entries, names, begun } = directory;
    while (begun.length < count) {
      const entry = entries[directory.next];
      if (entry === undefined) return;
      directory.next += 1;
      const kind = entry.slice(-1);
      const segment = entry.slice(0, kind === "d" ? -3 : -2);
      const name = names.get(segment) ?? segment;
      const path = place.path === "" ? name : `${place.path}/${name}`;
      const isPath = directory.isPlain && kind !== "d" && name === segment;
      const below: Place = { key: isPath ? path : place.key + entry.slice(0, -2), path };
      if (kind === "d") begun.push(directoryWithheldBy(below.path) ? { later: below } : readAhead(below));
      else {
        const rule = fileWithheldBy(below.path);
        if (rule) withheld(rule);
        else begun.push(look(below));
      }
    }
  };

  const countBelow = async (place: Place, rule: WithheldBy): Promise<void> => {
    const pending = [place.path];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const directory = await opendir(bytePath(root, path), { encoding: "latin1" }).catch(() => undefined);
      if (!directory) continue; // nothing leaves of it either way
      for await (const entry of directory)
        if (entry.isDirectory()) pending.push(`${path}/${entry.name}`);
        else withheld(rule);
    }
  };

  const top = await read({ key: "", path: "" }, Number.POSITIVE_INFINITY);
  const open: Directory[] = [];
  let batch: FoundEntry[] = [];
  const enter = (found: Begun): void => {
    if (found === undefined) return;
    if ("kind" in found) batch.push(found);
    else if ("entries" in found) open.push(found);
  };
  enter(top);
  for (let directory = open.at(-1); directory; directory = open.at(-1)) {
    begin(directory);
    if (batch.length >= inBatch) {
      yield batch;
      batch = [];
    }
    const first = directory.begun.shift();
    const found = first instanceof Promise ? await first : first;
    if (found === undefined) {
      if (directory.begun.length === 0 && directory.next >= directory.entries.length) open.pop();
    } else if ("later" in found) {
      const rule = directoryWithheldBy(found.later.path);
      if (rule) await countBelow(found.later, rule);
      else enter(await read(found.later, Number.POSITIVE_INFINITY));
    } else {
      if ("entries" in found) named -= found.entries.length;
      enter(found);
    }
  }
  yield batch;
};
