import type { Destination } from "@openemr-ops/core/destination";
import { ulidTime } from "@openemr-ops/core/ids";
import { listManifestIds } from "../manifest.ts";
import { isFuture } from "../retention.ts";
import { readVerifications } from "../verification.ts";

/** When the newest dumps were started; absent where there is none. */
export interface NewestDumps {
  readonly complete?: Date;
  /** That passed a drill or a check of every stored byte. */
  readonly verified?: Date;
}

/**
 * Finds the newest complete dump and the newest verified one by names alone: a manifest is written last, and notes of checks
 * say all in their keys. Needs neither a password nor the right to read an object, and so proves nothing of who wrote them.
 *
 * @throws the `Destination…Error` family
 */
export const newestDumps = async (destination: Destination, installation: string, now: Date): Promise<NewestDumps> => {
  const ids = (await listManifestIds(destination, installation)).filter((id) => !isFuture(ulidTime(id), now));
  const notes = await readVerifications(destination, installation);
  const verified = ids.find((id) => ["read-data", "drill"].includes(notes.get(id)?.claimed.level ?? ""));
  return {
    ...(ids[0] === undefined ? {} : { complete: ulidTime(ids[0]) }),
    ...(verified === undefined ? {} : { verified: ulidTime(verified) }),
  };
};
