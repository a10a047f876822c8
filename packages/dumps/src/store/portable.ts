import { basename } from "node:path";
import type { Readable } from "node:stream";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError, ToolFailedError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import { runChild } from "@openemr-ops/files/child";
import type { FileSelection } from "../fileSelection.ts";
import { type Seal, sealWith } from "../seal.ts";
import type { DumpStore, StoredPart, StoredSites, UnpackedSites, WantedEntries } from "./dumpStore.ts";
import { type ObjectPart, type PackedObjectSettings, packedObjects } from "./portableObject.ts";
import type { Produce } from "./producer.ts";
import { membersOf, onlyMembers } from "./tarMembers.ts";
import { packTree, unpackTree } from "./tarTree.ts";
import type { ListedEntry } from "./treeListing.ts";

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

  return {
    format: "portable",
    describeTools: async () => ({
      tar: (await runChild(settings.tar, ["--version"])).output.split("\n")[0] ?? "unknown",
    }),
    open: async () => {},
    writeDatabase: ({ dumpId }, produce, run) => upload(keyOf(dumpId, "database.sql"), produce, run.signal),
    writeSites: async ({ dumpId, sitesPath, exclude }, run): Promise<StoredSites> => {
      let packed: Omit<StoredSites, "part"> | undefined;
      const pack: Produce = async (sink, signal) => {
        packed = await packTree(settings.tar, { sitesPath, exclude }, sink, { ...run, signal });
      };
      const part = await upload(keyOf(dumpId, "sites.tar"), pack, run.signal);
      if (!packed) throw new ToolFailedError("packing the sites tree: the upload ended before tar did");
      return { part, ...packed };
    },
    writeManifestCopy: async () => undefined,
    readManifestCopy: async () => undefined,
    readManifestCopies: async () => {},
    neighbours: async () => [],
    listSealed: async () => undefined,
    seal,
    readDatabase: (part, consume, run) => download(objectOf(part), consume, run.signal, { mayStop: true }),
    listSites: async (part, { selection, onEntry }, run) => {
      const list = async (stream: Readable) => {
        for await (const entry of membersOf(stream)) if (isSelected(selection, entry)) await onEntry(entry);
      };
      await download(objectOf(part), list, run.signal);
    },
    restoreSites: async (part, staging, name, run, only) => {
      let found: UnpackedSites = { notRestored: [], withoutCapabilities: true };
      const place = { directory: `${staging.at}/${name}`, called: staging.path };
      const unpack = async (stream: Readable) => {
        found = await unpackTree(settings.tar, only ? selectedMembers(stream, only) : stream, place, run);
      };
      await download(objectOf(part), unpack, run.signal);
      return found;
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

const isSelected = ({ matching }: FileSelection, { path }: ListedEntry): boolean =>
  path !== "" && matching(path).length > 0;

const selectedMembers = async function* (
  archive: AsyncIterable<Buffer>,
  { selection, onEntry }: WantedEntries,
): AsyncGenerator<Buffer, void> {
  let found: ListedEntry[] = [];
  const members = onlyMembers(archive, (entry) => {
    const wanted = isSelected(selection, entry);
    if (wanted) found.push(entry);
    return wanted;
  });
  for await (const blocks of members) {
    for (const entry of found) await onEntry(entry);
    found = [];
    yield blocks;
  }
};

const keysBelow = async (destination: Destination, prefix: string): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { key } of destination.list(prefix)) keys.push(key);
  return keys;
};
