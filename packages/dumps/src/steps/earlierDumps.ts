import { ulidTime } from "@openemr-ops/core/ids";
import type { DumpContext } from "../context.ts";
import { hasOwnSeal, listManifestIds, readManifest } from "../manifest.ts";
import { isFuture } from "../retention.ts";

/** What a new dump has to know of those before it. */
export interface EarlierDumps {
  /** One of them claims to be of the future. */
  readonly future: boolean;
  /** Whole dumps whose plain manifest is gone. */
  readonly lost: readonly string[];
}

/** Looks at what is sealed; without a key of portable sets, at all that is there. */
export const earlierDumps = async (context: DumpContext): Promise<EarlierDumps> => {
  const plain = await listManifestIds(context.destination, context.installation);
  const sealed = await context.store.listSealed(context);
  if (sealed) {
    const dumps = [...sealed].filter(([, { manifest }]) => manifest);
    return {
      future: dumps.some(([, { takenAt }]) => isFuture(takenAt, context.now())),
      lost: dumps
        .filter(([dumpId, { database, sites }]) => database && sites && !plain.includes(dumpId))
        .map(([dumpId]) => dumpId),
    };
  }
  const seal = await context.store.seal();
  for (const dumpId of plain.filter((id) => isFuture(ulidTime(id), context.now()))) {
    const manifest = await readManifest(context.destination, context.installation, dumpId).catch(() => undefined);
    if (manifest && (!seal || hasOwnSeal(manifest, seal))) return { future: true, lost: [] };
  }
  return { future: false, lost: [] };
};
