import { IntegrityError } from "@openemr-ops/core/errors";
import { ulidTime } from "@openemr-ops/core/ids";
import type { DumpContext } from "../context.ts";
import { listManifestIds, type Manifest, readManifest } from "../manifest.ts";
import { isFuture } from "../retention.ts";

/** What a new dump has to know of those before it. */
export interface EarlierDumps {
  /** Of those that are not of the future, in its plain form, genuine or not: it can only make a dump say more, or refuse. */
  readonly newest: Manifest | undefined;
  /** One of them claims to be of the future: by names alone, for the list of what is sealed costs a second. */
  readonly future: boolean;
}

/** Lists once, and reads one manifest; a damaged one says nothing. */
export const earlierDumps = async ({ destination, installation, now }: DumpContext): Promise<EarlierDumps> => {
  const ids = await listManifestIds(destination, installation);
  const newest = ids.find((dumpId) => !isFuture(ulidTime(dumpId), now()));
  return {
    newest:
      newest === undefined
        ? undefined
        : await readManifest(destination, installation, newest).catch((error: unknown) => {
            if (error instanceof IntegrityError) return undefined;
            throw error;
          }),
    future: ids.some((dumpId) => isFuture(ulidTime(dumpId), now())),
  };
};
