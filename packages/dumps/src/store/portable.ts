import { basename, dirname } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import { DiskFullError, IntegrityError, SourceUnreadableError, ToolFailedError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import { streamSink } from "@openemr-ops/files/byteSink";
import { type Child, runChild, startChild } from "@openemr-ops/files/child";
import { type Seal, sealWith } from "../seal.ts";
import type { DumpStore, StoredPart, StoredSites } from "./dumpStore.ts";
import { lacksSpace } from "./lacksSpace.ts";
import { type ObjectPart, type PackedObjectSettings, packedObjects } from "./portableObject.ts";

export interface PortableSettings extends PackedObjectSettings {
  readonly tar: string;
  /** Not set: nothing is sealed, and nothing proves who wrote a set. */
  readonly readSealKey?: (() => Promise<string>) | undefined;
}

const folder = "portable/";
const removal = "to-be-removed";

const objectOf = (part: StoredPart): ObjectPart => {
  if (part.kind !== "object") throw new IntegrityError("the manifest names a snapshot where an object belongs");
  return part;
};

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
 * What tar complains of, as it comes. Names stand in the middle of a complaint, so its end alone is looked at; and nothing is
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

/**
 * Keeps each dump as two plain objects that common tools read: `database.sql.gz` or `.zst`, and `sites.tar.gz` or
 * `.zst`, with `.age` after it where recipients are set.
 */
export const portableStore = (settings: PortableSettings): DumpStore => {
  const { destination } = settings;
  const { suffix, upload, download, assertDigest } = packedObjects(settings);
  const keyOf = (dumpId: string, name: string) => `${folder}${dumpId}/${name}${suffix}`;

  const seal = async (): Promise<Seal | undefined> =>
    settings.readSealKey ? sealWith(await settings.readSealKey()) : undefined;
  /** The object that announces a removal: nobody without the key can write it, and without a key there is none. */
  const announcementOf = (own: Seal | undefined, dumpId: string): string | undefined =>
    own && `${removal}_${own.of("removal", dumpId)}`;

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

  return {
    format: "portable",
    describeTools: async () => ({
      tar: (await runChild(settings.tar, ["--version"])).output.split("\n")[0] ?? "unknown",
    }),
    open: async () => {},
    writeDatabase: ({ dumpId }, produce) => upload(keyOf(dumpId, "database.sql"), produce),
    writeSites: async ({ dumpId, sitesPath, exclude }, run): Promise<StoredSites> => {
      const counter = tarCounter();
      const complaints = tarComplaints();
      let vanished = 0;
      const part = await upload(keyOf(dumpId, "sites.tar"), async (sink) => {
        const name = basename(sitesPath);
        const child = startChild(
          settings.tar,
          [
            ...["--create", "--file=-", "--format=posix", "--pax-option=delete=atime,delete=ctime", "--numeric-owner"],
            "--hard-dereference", // a second name of a file is a file, as everywhere else
            ...["--sort=name", "--sparse", "--anchored", "--wildcards", "--no-wildcards-match-slash"],
            ...exclude.map((glob) => `--exclude=${name.replace(/[\\*?[\]]/g, "\\$&")}/${glob}`),
            // The archive goes to standard output, so tar lists on standard error.
            ...["--verbose", "--verbose", "--quoting-style=escape"],
            ...["--directory", dirname(sitesPath), "--", name],
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
        vanished = await tarEnd(child, complaints.counts, "packing the sites tree");
      });
      return { part, ...counter.counts, vanished };
    },
    writeManifestCopy: async () => undefined,
    readManifestCopy: async () => undefined,
    listSealed: async () => undefined,
    seal,
    readDatabase: (part, consume, run) => download(objectOf(part), consume, run.signal),
    restoreSites: async (part, staging, name, run) => {
      await download(
        objectOf(part),
        async (stream) => {
          const child = startChild(
            settings.tar,
            [
              "--extract",
              "--file=-",
              "--numeric-owner",
              "--same-permissions",
              "--delay-directory-restore",
              "--keep-old-files", // no entry takes the place of an earlier one
            ],
            { signal: run.signal, cwd: `${staging.at}/${name}` },
          );
          child.stdout.resume();
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
          if (lacksSpace(end.errors)) throw new DiskFullError("unpacking the sites tree: no space left on the device");
          if (end.code !== 0) throw new IntegrityError("unpacking the sites tree: the archive is damaged");
        },
        run.signal,
      );
    },
    presentParts: async (parts) => {
      const there = new Map<string, number>();
      for await (const { key, byteLength } of destination.list(folder)) there.set(key, byteLength);
      return new Set(parts.filter((part) => part.kind === "object" && there.get(part.key) === part.byteLength));
    },
    verify: async (level, parts, run) => {
      for (const part of parts.map(objectOf)) {
        run.signal.throwIfAborted();
        const stored = await destination.describe(part.key);
        if (stored?.byteLength !== part.byteLength)
          throw new IntegrityError(`object ${part.key} is absent or has another size than was written`);
        if (level === "objects") continue;
        await assertDigest(part);
      }
    },
    orphans: async (known) => {
      const sets = new Map<string, string[]>();
      for await (const { key } of destination.list(folder)) {
        const [, dumpId = "", name = ""] = key.split("/");
        if (ulidPattern.test(dumpId) && !known.has(dumpId)) sets.set(dumpId, [...(sets.get(dumpId) ?? []), name]);
      }
      const own = await seal();
      return [...sets].map(([dumpId, names]) => {
        const whole = ["database.sql", "sites.tar"].every((half) => names.some((name) => name.startsWith(half)));
        return { dumpId, mayBeWhole: whole && !names.includes(announcementOf(own, dumpId) ?? "") };
      });
    },
    announceRemoval: async (dumpId) => {
      const name = announcementOf(await seal(), dumpId);
      if (name) await destination.put(`${folder}${dumpId}/${name}`, Buffer.from(""));
    },
    remove: async (dumps) => {
      for (const { dumpId } of dumps) {
        const keys = await keysBelow(destination, `${folder}${dumpId}/`);
        const announcement = keys.filter((key) => basename(key).startsWith(removal));
        for (const key of keys.filter((key) => !announcement.includes(key))) await destination.delete(key);
        for (const key of announcement) await destination.delete(key);
      }
    },
    reclaim: async () => {},
    recover: async () => {},
  };
};

const keysBelow = async (destination: Destination, prefix: string): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { key } of destination.list(prefix)) keys.push(key);
  return keys;
};
