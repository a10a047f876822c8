import { basename } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import type { Neighbour, SealedDump, StoredPart, StoreRun } from "./dumpStore.ts";
import { repositoryObjects } from "./repositoryObjects.ts";
import type { ResticProgram } from "./resticProgram.ts";

/** As restic lists it. */
interface Snapshot {
  readonly id: string;
  /** The identifier that it was made with, where `restic copy` or `restic tag` gave it another. */
  readonly original?: string;
  readonly hostname?: string;
  readonly time: string;
  readonly tags?: readonly string[];
}

/** A snapshot of this installation's. */
export interface OwnSnapshot extends Snapshot {
  readonly dumpId: string;
  readonly kind: string | undefined;
}

const product = "openemr-ops";

/** The tags that say what a snapshot holds, as restic takes them. */
export const tagsOf = (dumpId: string, kind: string): string[] => [
  "--tag",
  product,
  "--tag",
  `dump=${dumpId}`,
  "--tag",
  `kind=${kind}`,
];
const tagOf = ({ tags }: Snapshot, name: string): string | undefined =>
  tags?.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1);

/** @throws {IntegrityError} the manifest names an object where a snapshot belongs */
export const snapshotIdOf = (part: StoredPart): string => {
  if (part.kind !== "snapshot") throw new IntegrityError("the manifest names an object where a snapshot belongs");
  return part.snapshotId;
};

/** The snapshots of one installation in a repository. Whatever else lies there is left alone. */
export interface ResticSnapshots {
  readonly all: (run: StoreRun) => Promise<readonly Snapshot[]>;
  readonly own: (run: StoreRun) => Promise<readonly OwnSnapshot[]>;
  /** Those of others, by host. */
  readonly neighbours: (run: StoreRun) => Promise<readonly Neighbour[]>;
  /** All that the repository confirms, by dump. @throws {IntegrityError} it cannot be opened any more */
  readonly sealed: (run: StoreRun) => Promise<ReadonlyMap<string, SealedDump>>;
  /** The whole identifier of a snapshot just made. @throws {IntegrityError} it is not there */
  readonly fullId: (id: string) => Promise<string>;
  /** What the snapshot is called here: in a copy of the repository it has another identifier than in its manifest. */
  readonly find: (part: StoredPart, run: StoreRun) => Promise<string>;
}

export const resticSnapshots = (
  restic: ResticProgram,
  { destination, installation }: { readonly destination: Destination; readonly installation: string },
): ResticSnapshots => {
  const { assertOpenable } = repositoryObjects(destination);

  const all = async (run: StoreRun): Promise<readonly Snapshot[]> =>
    (JSON.parse(await restic.run("list of snapshots", ["snapshots", "--json", "--no-lock"], run)) as
      | Snapshot[]
      | null) ?? [];

  const own = async (run: StoreRun): Promise<readonly OwnSnapshot[]> =>
    (await all(run)).flatMap((snapshot) => {
      const dumpId = tagOf(snapshot, "dump") ?? "";
      const ours = snapshot.hostname === installation && snapshot.tags?.includes(product);
      return ours && ulidPattern.test(dumpId) ? [{ ...snapshot, dumpId, kind: tagOf(snapshot, "kind") }] : [];
    });

  const neighbours = async (run: StoreRun): Promise<readonly Neighbour[]> => {
    if (!(await destination.describe("config"))) return [];
    const byHost = Object.groupBy(await all(run), ({ hostname = "" }) => hostname);
    return Object.entries(byHost).flatMap(([host, found = []]): Neighbour[] => {
      const foreign = found.filter(({ tags }) => !tags?.includes(product));
      const dumps = found.filter((one) => !foreign.includes(one) && tagOf(one, "kind") === "manifest").length;
      const others = host === installation ? 0 : dumps;
      const tags = [...new Set(foreign.flatMap((one) => one.tags ?? []))].sort();
      return others + foreign.length > 0 ? [{ host, dumps: others, snapshots: foreign.length, tags }] : [];
    });
  };

  const sealed = async (run: StoreRun): Promise<ReadonlyMap<string, SealedDump>> => {
    const dumps = new Map<string, SealedDump>();
    if (!(await destination.describe("config"))) {
      await assertOpenable();
      return dumps;
    }
    for (const snapshot of await own(run)) {
      const { dumpId, kind } = snapshot;
      const known = dumps.get(dumpId) ?? { takenAt: undefined, database: false, sites: false, manifest: false };
      const digest = tagOf(snapshot, "manifest");
      dumps.set(dumpId, {
        ...known,
        takenAt: known.takenAt && kind !== "manifest" ? known.takenAt : new Date(snapshot.time),
        ...(kind === "database" || kind === "sites" || kind === "manifest" ? { [kind]: true } : {}),
        ...(digest === undefined ? {} : { digest }),
      });
    }
    return dumps;
  };

  /** Older releases print the first eight digits only. */
  const fullId = async (id: string): Promise<string> => {
    if (id.length === 64) return id;
    for await (const { key } of destination.list(`snapshots/${id}`)) return basename(key);
    throw new IntegrityError(`snapshot ${id} is not at the destination although restic reported it`);
  };

  const find = async (part: StoredPart, run: StoreRun): Promise<string> => {
    const id = snapshotIdOf(part);
    if (await destination.describe(`snapshots/${id}`)) return id;
    return (await own(run)).find(({ original }) => original === id)?.id ?? id;
  };

  return { all, own, neighbours, sealed, fullId, find };
};
