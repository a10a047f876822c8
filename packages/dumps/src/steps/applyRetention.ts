import { ulidTime } from "@openemr-ops/core/ids";
import { lockedUntil } from "@openemr-ops/core/immutability";
import type { DumpContext } from "../context.ts";
import { manifestKey } from "../manifest.ts";
import { decideRetention, type RetainedDump, type RetentionPolicy } from "../retention.ts";
import { removeVerifications, type Verification } from "../verification.ts";
import { type FoundDump, findDumps } from "./listDumps.ts";
import { rebuildManifests } from "./rebuildManifests.ts";

export interface RetentionEntry {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly reasons: readonly string[];
}

export interface RetentionResult {
  readonly dryRun: boolean;
  readonly keep: readonly RetentionEntry[];
  readonly expire: readonly RetentionEntry[];
  /** Parts of runs that never came to a manifest, older than a day. */
  readonly orphans: readonly string[];
  /** Until when the store keeps, at the latest, what was deleted: its space is taken until then. ISO 8601 UTC. */
  readonly spaceTakenUntil?: string;
}

const orphanAgeMilliseconds = 24 * 3600 * 1000;

/** Why a dump is neither counted nor removed; `undefined`: the policy decides. */
const setAside = (context: DumpContext, { listed }: FoundDump): string | undefined => {
  if (!listed.complete) return `not complete, kept for a person to look at: ${listed.problem}`;
  if (listed.sealed === true) return undefined;
  return context.store.format === "portable" && listed.sealed === false
    ? "bears no seal, so that anybody may have written it: remove it by hand; dumps are sealed once dumps.sealKeyFile is set"
    : "its seal cannot be checked: set dumps.sealKeyFile";
};

const isThorough = (check: Verification | undefined): boolean => check !== undefined && check.level !== "objects";

/** A complete dump as the policy sees it. */
export const retainedOf = ({ listed, provenCheck, claimedCheck }: FoundDump): RetainedDump => ({
  dumpId: listed.dumpId,
  takenAt: new Date(listed.takenAt),
  complete: true,
  ...(provenCheck && isThorough(provenCheck) ? { verifiedAt: new Date(provenCheck.at) } : {}),
  saidToBeVerified: isThorough(claimedCheck),
});

/**
 * Until when the store keeps a dump, by when its manifest was written, which comes last. A dump that would be deleted before
 * would only be hidden, or the store would refuse.
 */
const locksOf = async ({ destination, installation, immutability }: DumpContext) => {
  const ends = new Map<string, Date>();
  if (immutability)
    for await (const { key, modifiedAt } of destination.list(manifestKey(installation, "").replace(/\.json$/, "")))
      ends.set(key, lockedUntil(immutability, modifiedAt));
  return ({ listed }: FoundDump) => ({ lockedUntil: ends.get(manifestKey(installation, listed.dumpId)) });
};

/** The policy's answer for dumps that were found. */
export interface RetentionPlan {
  /** Those that the policy keeps, and those that a person has to look at. */
  readonly keep: readonly RetentionEntry[];
  readonly expire: readonly RetentionEntry[];
  /** Those that count in the policy and stay. */
  readonly counted: readonly RetainedDump[];
}

/**
 * Decides over dumps that were found; deletes nothing.
 *
 * @param found by `findDumps`: what was found without the installation's secret decides over nothing
 */
export const planRetention = async (
  context: DumpContext,
  policy: RetentionPolicy,
  found: readonly FoundDump[],
): Promise<RetentionPlan> => {
  const aside = found.flatMap((dump) => {
    const reason = setAside(context, dump);
    return reason === undefined ? [] : [{ dumpId: dump.listed.dumpId, reasons: [reason] }];
  });
  const lockOf = await locksOf(context);
  const counted = found
    .filter((dump) => setAside(context, dump) === undefined)
    .map((dump): RetainedDump => ({ ...retainedOf(dump), ...lockOf(dump) }));
  const decision = decideRetention(counted, policy, { now: context.now() });
  const timeOf = new Map(found.map(({ listed }) => [listed.dumpId, listed.takenAt]));
  const entry = ({ dumpId, reasons }: Omit<RetentionEntry, "takenAt">): RetentionEntry => ({
    dumpId,
    takenAt: timeOf.get(dumpId) ?? ulidTime(dumpId).toISOString(),
    reasons,
  });
  const stays = new Set(decision.keep.map(({ dumpId }) => dumpId));
  return {
    keep: [...decision.keep, ...aside].map(entry),
    expire: decision.expire.map(entry),
    counted: counted.filter(({ dumpId }) => stays.has(dumpId)),
  };
};

/**
 * Removes what the policy does not ask to keep: the manifest first, so that a run that stops half-way leaves no dump that
 * looks whole and is not; then its parts; then the space. Damaged dumps are kept for a person to look at.
 *
 * Only what the store's own seal proves to be a dump of this installation counts in the policy or is removed. As long as a
 * dump lacks a part, nothing is taken for the rest of a run: what is lost may be more than what is seen.
 *
 * The newest verified and the newest complete dump always stay. Safe to repeat; `dryRun` writes nothing.
 */
export const applyRetention = async (
  context: DumpContext,
  policy: RetentionPolicy,
  dryRun: boolean,
): Promise<RetentionResult> => {
  const { immutability } = context;
  await context.store.describeTools();
  const found = await findDumps(context);
  const plan = await planRetention(context, policy, found);
  const known = new Set(found.map(({ listed }) => listed.dumpId));
  const present = context.store.format === "restic" ? await context.destination.describe("config") : true;
  const rests = present ? await context.store.orphans(known, context) : [];
  const mayBeWhole = rests
    .filter((rest) => rest.mayBeWhole)
    .map(({ dumpId }) => ({
      dumpId,
      takenAt: ulidTime(dumpId).toISOString(),
      reasons: ["has both halves and no manifest: kept for a person to look at"],
    }));
  const orphans = rests
    .filter((rest) => !rest.mayBeWhole && found.every(({ listed }) => listed.complete))
    .map(({ dumpId }) => dumpId)
    .filter((dumpId) => context.now().getTime() - ulidTime(dumpId).getTime() > orphanAgeMilliseconds);
  const result: RetentionResult = {
    dryRun,
    keep: [...plan.keep, ...mayBeWhole],
    expire: plan.expire,
    orphans,
    ...(immutability && plan.expire.length + orphans.length > 0
      ? { spaceTakenUntil: lockedUntil(immutability, context.now()).toISOString() }
      : {}),
  };
  if (dryRun) return result;
  await context.store.recover(context);
  const expired = result.expire.map(({ dumpId }) => dumpId);
  const lost = found.filter(({ listed, manifest }) => listed.complete && !manifest).map(({ listed }) => listed.dumpId);
  await rebuildManifests(
    context,
    lost.filter((dumpId) => !expired.includes(dumpId)),
  );
  const gone = [...orphans, ...expired];
  for (const dumpId of gone) {
    context.signal.throwIfAborted();
    if (expired.includes(dumpId)) await context.store.announceRemoval(dumpId);
    await context.destination.delete(manifestKey(context.installation, dumpId));
    await removeVerifications(context.destination, context.installation, dumpId);
  }
  if (gone.length > 0) {
    await context.store.remove(
      gone.map((dumpId) => ({ dumpId, parts: [] })),
      context,
    );
    context.progress({ step: "reclaim", detail: "frees space" });
    await context.store.reclaim(context);
  }
  return result;
};
