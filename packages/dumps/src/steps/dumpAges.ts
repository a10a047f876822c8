import { DamagedError } from "@openemr-ops/core/errors";
import type { DumpContext } from "../context.ts";
import { listManifestIds, readManifest } from "../manifest.ts";
import { isFuture } from "../retention.ts";
import { readVerifications } from "../verification.ts";

/** How old a dump is. */
export interface DumpAge {
  readonly dumpId: string;
  /** ISO 8601 UTC. */
  readonly takenAt: string;
  readonly ageSeconds: number;
}

/** The newest dumps; null where there is none. */
export interface DumpAges {
  readonly complete: DumpAge | null;
  /** That passed a drill or a check of every stored byte. */
  readonly verified: DumpAge | null;
}

/**
 * Finds the newest complete dump and the newest verified one, by what is at the destination for all to read. Needs no
 * password and writes nothing, and so proves nothing of who made them. Reads one list and the manifests of these dumps; one
 * that is damaged, of the future or without its halves is passed over.
 *
 * @param copied the destination is a copy: its repository has other names for the halves, which only its password opens
 * @throws the `Destination…Error` family
 */
export const dumpAges = async (context: DumpContext, copied = false): Promise<DumpAges> => {
  const { destination, installation, store, now } = context;
  const at = now();
  const ageOf = async (dumpId: string): Promise<DumpAge | undefined> => {
    const manifest = await readManifest(destination, installation, dumpId).catch((error: unknown) => {
      if (error instanceof DamagedError) return undefined;
      throw error;
    });
    if (!manifest || manifest.format !== store.format || isFuture(new Date(manifest.takenAt), at)) return undefined;
    const halves = [manifest.database.part, manifest.sites.part];
    if (!(copied && store.format === "restic") && (await store.presentParts(halves)).size < halves.length)
      return undefined;
    const { takenAt } = manifest;
    return { dumpId, takenAt, ageSeconds: Math.max(0, (at.getTime() - Date.parse(takenAt)) / 1000) };
  };
  const newestOf = async (ids: readonly string[]): Promise<DumpAge | null> => {
    for (const dumpId of ids) {
      const age = await ageOf(dumpId);
      if (age) return age;
    }
    return null;
  };
  const ids = await listManifestIds(destination, installation);
  const notes = await readVerifications(destination, installation);
  const isVerified = (id: string) => ["read-data", "drill"].includes(notes.get(id)?.claimed.level ?? "");
  return { complete: await newestOf(ids), verified: await newestOf(ids.filter(isVerified)) };
};
