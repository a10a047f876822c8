import { type BigIntStats, type Dirent, lstatSync } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { bytePath } from "@openemr-ops/files/bytePath";
import { directoryWithheldBy, fileWithheldBy, type WithheldBy } from "@openemr-ops/openemr/withheldFiles";
import { segmentOf } from "./objectNames.ts";

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
  /** Names that differ from their segments. */
  readonly names: ReadonlyMap<string, string>;
  /** What has been begun of the entries from `next` on. */
  readonly begun: Promise<Begun>[];
  next: number;
}

type Begun = FoundEntry | Directory | { readonly later: Place } | undefined;

/** A call that is answered from memory is over before another thread could take it; slower ones are made there. */
const quickMilliseconds = 0.2;
const slowCalls = 500;

/**
 * State of an entry. Right after its directory was read, the system mostly has it in memory, also of a network file system. Once
 * a call has taken longer, the next ones go to other threads, several at once.
 */
const stateReader = () => {
  let slow = 0;
  return (path: Buffer): BigIntStats | Promise<BigIntStats> => {
    if (slow > 0) {
      slow -= 1;
      return lstat(path, { bigint: true });
    }
    const began = performance.now();
    const stats = lstatSync(path, { bigint: true });
    if (performance.now() - began > quickMilliseconds) slow = slowCalls;
    return stats;
  };
};

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
): AsyncGenerator<FoundEntry, void> {
  let named = 0;
  const stateOf = stateReader();

  const look = async (place: Place): Promise<Begun> => {
    try {
      const state = stateOf(bytePath(root, place.path));
      const stats = state instanceof Promise ? await state : state;
      if (stats.isFile()) return { ...place, kind: "file", byteLength: Number(stats.size), modifiedNs: stats.mtimeNs };
      if (stats.isDirectory()) return undefined; // another thing than when its directory was read: the next run sees it
      return { ...place, kind: "skipped", reason: skippedKinds[kindOf(stats)] ?? "unknown kind of file" };
    } catch (error) {
      return isGone(error) ? undefined : { ...place, kind: "unreadable", reason: systemCodeOf(error) ?? "unknown" };
    }
  };

  const read = async (place: Place, most: number): Promise<Begun> => {
    const entries: string[] = [];
    const names = new Map<string, string>();
    const { path } = place;
    try {
      const directory = await opendir(bytePath(root, path), {
        encoding: "latin1",
        bufferSize: most > 2000 ? 1024 : 64,
      });
      for await (const entry of directory) {
        if (entries.length >= most) return { later: place };
        let kind = kindOf(entry);
        if (kind === "?") {
          const below = path === "" ? entry.name : `${path}/${entry.name}`;
          kind = kindOf(await lstat(bytePath(root, below)));
        }
        const segment = segmentOf(entry.name, path === "");
        if (segment !== entry.name) names.set(segment, entry.name);
        entries.push(entryOf(segment, kind));
      }
    } catch (error) {
      return isGone(error) && path !== ""
        ? undefined
        : { ...place, kind: "unreadable", reason: systemCodeOf(error) ?? "unknown" };
    }
    return { place, entries: entries.sort(), names, begun: [], next: 0 };
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
      const below: Place = {
        key: place.key + entry.slice(0, -2),
        path: place.path === "" ? name : `${place.path}/${name}`,
      };
      if (kind === "d")
        begun.push(directoryWithheldBy(below.path) ? Promise.resolve({ later: below }) : readAhead(below));
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
  const enter = async function* (found: Begun): AsyncGenerator<FoundEntry, void> {
    if (found === undefined) return;
    if ("kind" in found) yield found;
    else if ("entries" in found) open.push(found);
  };
  yield* enter(top);
  for (let directory = open.at(-1); directory; directory = open.at(-1)) {
    begin(directory);
    const found = await directory.begun.shift();
    if (found === undefined) {
      if (directory.begun.length === 0 && directory.next >= directory.entries.length) open.pop();
    } else if ("later" in found) {
      const rule = directoryWithheldBy(found.later.path);
      if (rule) await countBelow(found.later, rule);
      else yield* enter(await read(found.later, Number.POSITIVE_INFINITY));
    } else {
      if ("entries" in found) named -= found.entries.length;
      yield* enter(found);
    }
  }
};
