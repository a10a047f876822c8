import { basename, dirname } from "node:path";
import { IntegrityError, type OpsError, SourceUnreadableError, ToolFailedError } from "@openemr-ops/core/errors";
import { codeAtEnd, failureOf } from "@openemr-ops/core/systemErrors";
import { type ByteSink, streamSink } from "@openemr-ops/files/byteSink";
import { type Child, onLines, startChild } from "@openemr-ops/files/child";
import type { StoredSites, StoreRun, UnpackedSites, WriteSites } from "./dumpStore.ts";
import { localFailureAt } from "./localFailureAt.ts";
import { isRefusal, type NotRestoredKind, notRestoredCounter } from "./notRestored.ts";
import { type ListedEntry, treeListing } from "./treeListing.ts";

/** Directories and regular files of a tree from tar's own listing, `-rw-r--r-- 0/0 12 2026-01-02 03:04 name`, one line an entry. */
const tarCounter = () => {
  const counts = { files: 0, directories: 0, byteLength: 0 };
  return {
    counts,
    onLine: (line: string) => {
      if (line.startsWith("d")) counts.directories++;
      else if (line.startsWith("-")) {
        counts.files++;
        const size = /^-\S+ \S+ +(\d+) /.exec(line)?.[1];
        if (size) counts.byteLength += Number(size);
      }
    },
  };
};

/** One entry of the listing; with `escape` quoting no name can begin a line. */
const listed = /^[-dlhpcbsCDMNSV?][-rwxsStT]{9}[ +.]/;

/**
 * What tar complains of, as it comes. Names are in the middle of a complaint, so its end alone is looked at; and nothing is
 * lost among the lines of a long listing.
 */
const tarComplaints = () => {
  const counts = { gone: 0, unreadable: 0, others: 0 };
  return {
    counts,
    onLine: (line: string) => {
      if (
        line === "" ||
        /: (file changed as we read it|socket ignored|Exiting with failure status due to previous errors)$/.test(line)
      )
        return;
      if (/: (File removed before we read it|No such file or directory)$/.test(line)) counts.gone++;
      else if (/: (Permission denied|Operation not permitted|Input\/output error)$/.test(line)) counts.unreadable++;
      else counts.others++;
    },
  };
};

/** @returns how many files vanished. A packing tar writes to no disk, so it never lacks space. */
const tarEnd = async (
  child: Child,
  { gone, unreadable: count, others }: ReturnType<typeof tarComplaints>["counts"],
  doing: string,
): Promise<number> => {
  const end = await child.ended;
  if (end.signal) throw new ToolFailedError(`${doing}: tar ended by ${end.signal}`);
  // GNU tar: 1 means that files changed or vanished while they were read, which a running OpenEMR does.
  if (end.code === 0 || end.code === 1) return gone;
  if (count + others === 0 && gone > 0) return gone;
  throw new SourceUnreadableError(
    `${doing}: ${count || "some"} files or directories cannot be read (tar ended with status ${end.code})`,
  );
};

/**
 * Packs a tree with GNU tar, as it is at that moment.
 *
 * @throws {SourceUnreadableError} fatal: part of the tree cannot be read
 */
export const packTree = async (
  tar: string,
  { sitesPath, exclude }: Pick<WriteSites, "sitesPath" | "exclude">,
  sink: ByteSink,
  run: StoreRun,
): Promise<Omit<StoredSites, "part">> => {
  const counter = tarCounter();
  const complaints = tarComplaints();
  const name = basename(sitesPath);
  const child = startChild(
    tar,
    [
      ...["--create", "--file=-", "--format=posix", "--pax-option=delete=atime,delete=ctime", "--numeric-owner"],
      "--hard-dereference", // a second name of a file is a file, as everywhere else
      ...["--sort=name", "--sparse", "--anchored", "--wildcards", "--no-wildcards-match-slash"],
      ...exclude.map((glob) => `--exclude=${name.replace(/[\\*?[\]]/g, "\\$&")}/${glob}`),
      // The archive goes to standard output, so tar lists on standard error.
      ...["--verbose", "--verbose", "--quoting-style=escape"],
      ...["-C", dirname(sitesPath), "--", name],
    ],
    {
      signal: run.signal,
      onErrorLine: (line) => (listed.test(line) ? counter.onLine(line) : complaints.onLine(line)),
    },
  );
  child.stdin.end();
  for await (const chunk of child.stdout) {
    await sink(chunk as Buffer);
    run.progress({ step: "sites", files: counter.counts.files, bytes: counter.counts.byteLength });
  }
  run.signal.throwIfAborted();
  const vanished = await tarEnd(child, complaints.counts, "packing the sites tree");
  return { ...counter.counts, vanished };
};

const setting: readonly (readonly [RegExp, NotRestoredKind])[] = [
  [/^[^:]+: (.*): Cannot change ownership to uid (\d+), gid (\d+): [^:]+$/, "owner"],
  [/^[^:]+: (.*): Cannot change mode to [^:]+: [^:]+$/, "mode"],
  [/^[^:]+: (.*): Cannot utime: [^:]+$/, "times"],
];
/** What is no failure, or tells only that there was one. */
const said =
  /: (Exiting with failure status due to previous errors|.* is [^:]+ s in the future|implausibly old time stamp .*|unknown file type; file ignored)$/;
/** Sorts what tar complains of while it unpacks, as it comes: attributes, the disk here, and all else, which is damage. */
const unpackComplaints = () => {
  const attributes = notRestoredCounter();
  let others = 0;
  let local: string | undefined;
  return {
    attributes,
    onLine: (line: string): void => {
      if (line === "" || said.test(line)) return;
      for (const [pattern, kind] of setting) {
        const [found, name = "", uid, gid] = pattern.exec(line) ?? [];
        if (found === undefined || !isRefusal(kind, line)) continue;
        attributes.add(kind, name, uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) });
        return;
      }
      const code = /: Wrote only \d+ of \d+ bytes$/.test(line) ? "ENOSPC" : codeAtEnd(line);
      // A name that is taken is no matter of the disk: an archive that holds it twice is none of ours.
      if (code === undefined || failureOf(code) === "place") others++;
      else local = code === "ENOSPC" ? code : (local ?? code);
    },
    failure: (called: string): OpsError | undefined => {
      if (local) return localFailureAt("unpacking the sites tree", called, local);
      if (others === 0 && attributes.total() > 0) return undefined;
      return new IntegrityError("unpacking the sites tree: the archive is damaged");
    },
  };
};

/** What a tar that failed had to say; `undefined` where only attributes could not be set. */
export const unpackFailure = (errors: string, called: string): OpsError | undefined => {
  const complaints = unpackComplaints();
  for (const line of errors.split("\n")) complaints.onLine(line);
  return complaints.failure(called);
};

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, "\\": 92 };
/** A name as it is, of one that tar's quoting style `escape` made. */
const unescaped = (name: string): string =>
  Buffer.concat(
    name
      .split(/(\\(?:[0-7]{3}|.))/)
      .map((part, index) =>
        index % 2 === 0
          ? Buffer.from(part)
          : Buffer.from([escapes[part.slice(1)] ?? Number.parseInt(part.slice(1), 8) & 0xff]),
      ),
  ).toString("utf8");

const kinds: Readonly<Record<string, ListedEntry["kind"]>> = { "-": "file", d: "directory", l: "link" };
const line = /^(.)([-rwxsStT]{9})[+.]? (\d+)\/(\d+) +(\d+) (\S+) (\d\d:\d\d:\d\d)\S* [^/]*\/?(.*)$/;
const rightsOf = (letters: string): number =>
  [...letters].reduce((sum, letter) => sum * 2 + (/[rwxst]/.test(letter) ? 1 : 0), 0);

/** What an archive holds, from tar's own listing, one line an entry. */
const archiveListing = () => {
  const listing = treeListing();
  let isWhole = true;
  return {
    onLine: (text: string): void => {
      const [, type = "", letters = "", uid, gid, size, day, time, name = ""] = line.exec(text) ?? [];
      const kind = kinds[type];
      // Of a second name it does not tell the size; archives of earlier releases have them.
      if (type === "h") isWhole = false;
      if (!kind) return;
      const path = unescaped(name).replace(/\/$/, "");
      listing.add({
        kind,
        path,
        mode: rightsOf(letters),
        ...{ uid: Number(uid), gid: Number(gid), size: Number(size) },
        mtimeMs: Date.parse(`${day}T${time}Z`) || 0,
      });
    },
    finish: () => (isWhole ? listing.finish() : undefined),
  };
};

/**
 * Unpacks an archive into an empty directory.
 *
 * @param directory a path that stays the same directory while it is used
 * @param called what the directory is called, for messages
 * @throws {IntegrityError} fatal: the archive is damaged
 * @throws {DiskFullError | LocalSystemError} fatal: the disk here
 */
export const unpackTree = async (
  tar: string,
  stream: AsyncIterable<Buffer>,
  { directory, called }: { readonly directory: string; readonly called: string },
  run: StoreRun,
): Promise<UnpackedSites> => {
  const complaints = unpackComplaints();
  const child = startChild(
    tar,
    [
      "--extract",
      "--file=-",
      "--numeric-owner",
      "--same-owner", // an ordinary user's tar would not even try, and not say so
      "--same-permissions",
      "--delay-directory-restore",
      "--keep-old-files", // no entry takes the place of an earlier one
      "--quoting-style=escape", // no name can begin a line
      ...["--verbose", "--verbose", "--full-time"],
    ],
    { signal: run.signal, cwd: directory, onErrorLine: complaints.onLine },
  );
  const listing = archiveListing();
  onLines(child.stdout, listing.onLine);
  // Not a pipeline: a tar that has read all of it may be gone before its input is closed, which is no failure.
  const sink = streamSink(child.stdin);
  let failed = false;
  const watch = ({ code }: { readonly code: number | null }) => {
    failed = code !== 0;
  };
  child.ended.then(watch, () => watch({ code: null }));
  try {
    for await (const chunk of stream) {
      if (failed) break;
      await sink(chunk as Buffer);
    }
  } catch (error) {
    child.kill("SIGKILL");
    await child.ended;
    throw error;
  }
  child.stdin.end();
  const end = await child.ended;
  run.signal.throwIfAborted();
  if (end.signal !== null) throw new ToolFailedError(`unpacking the sites tree: tar ended by ${end.signal}`);
  const failure = end.code === 0 ? undefined : complaints.failure(called);
  if (failure) throw failure;
  const notRestored = end.code === 0 ? [] : complaints.attributes.result();
  // Without --xattrs tar gives none.
  return { notRestored, listed: listing.finish(), withoutCapabilities: true };
};
