import type { Destination } from "@openemr-ops/core/destination";
import { ulidPattern } from "@openemr-ops/core/ids";

export const verificationLevels = ["objects", "read-data", "drill"] as const;
export type VerificationLevel = (typeof verificationLevels)[number];

/** A check that a dump passed. */
export interface Verification {
  readonly level: VerificationLevel;
  /** ISO 8601 UTC. */
  readonly at: string;
}

const folderOf = (installation: string) => `verifications/${installation}/`;

/** Writes down that a dump passed a check. The key says it all, so that a listing is enough to read it. */
export const recordVerification = async (
  destination: Destination,
  installation: string,
  dumpId: string,
  { level, at }: Verification,
  evidence: unknown,
): Promise<void> => {
  await destination.put(
    `${folderOf(installation)}${dumpId}/${at.replaceAll(":", "-")}_${level}.json`,
    Buffer.from(`${JSON.stringify({ dumpId, level, at, evidence }, null, 1)}\n`),
  );
};

/** For each dump the highest level passed, and when last. */
export const readVerifications = async (
  destination: Destination,
  installation: string,
): Promise<ReadonlyMap<string, Verification>> => {
  const best = new Map<string, Verification>();
  for await (const { key } of destination.list(folderOf(installation))) {
    const [dumpId = "", name = ""] = key.slice(folderOf(installation).length).split("/");
    const [, day, time, word] = /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\d\.\d{3}Z)_([a-z-]+)\.json$/.exec(name) ?? [];
    const level = verificationLevels.find((known) => known === word);
    if (!ulidPattern.test(dumpId) || !level || !day || !time) continue;
    const known = best.get(dumpId);
    if (known && verificationLevels.indexOf(known.level) > verificationLevels.indexOf(level)) continue;
    best.set(dumpId, { level, at: `${day}T${time.replace("-", ":").replace("-", ":")}` });
  }
  return best;
};

/** Forgets the checks of a dump that is gone. */
export const removeVerifications = async (
  destination: Destination,
  installation: string,
  dumpId: string,
): Promise<void> => {
  const keys: string[] = [];
  for await (const { key } of destination.list(`${folderOf(installation)}${dumpId}/`)) keys.push(key);
  for (const key of keys) await destination.delete(key);
};
