import type { DumpContext } from "../context.ts";
import { manifestBytes, manifestKey } from "../manifest.ts";
import { sealedManifest } from "./listDumps.ts";

/** Writes the plain manifests anew of whole dumps that have only the sealed copy left. For jobs that write manifests anyway. */
export const rebuildManifests = async (context: DumpContext, dumpIds: readonly string[]): Promise<void> => {
  for (const dumpId of dumpIds) {
    context.signal.throwIfAborted();
    const manifest = await sealedManifest(context, dumpId);
    await context.destination.put(manifestKey(context.installation, dumpId), manifestBytes(manifest));
  }
};
