import { DumpNotFoundError, IntegrityError } from "@openemr-ops/core/errors";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import type { DumpContext } from "../context.ts";
import { type Manifest, manifestBytes, manifestKey, readManifest } from "../manifest.ts";
import { decideRetention, type RetentionPolicy } from "../retention.ts";
import type { CopiedParts, Copier } from "../store/copier.ts";
import { retainedOf } from "./applyRetention.ts";
import { assertNotLost } from "./assertNotLost.ts";
import { chooseFrom, type FoundDump, findDumps, genuineManifest } from "./listDumps.ts";
import { wordsOfDestination } from "./surveyDestination.ts";

/** Where dumps come from and go to. */
export interface CopySetting {
  readonly first: DumpContext;
  readonly second: DumpContext;
  readonly copier: Copier;
  /** What the second store keeps. What it would not keep is not copied: the next retention would only delete it. Not set: all. */
  readonly policy?: RetentionPolicy | undefined;
  /** `latest` or a dump's identifier, to copy that one alone. */
  readonly only?: string | undefined;
}

/** What would be copied; nothing was written. */
export interface CopyPlan {
  readonly dryRun: true;
  readonly destination: string;
  /** Newest first. */
  readonly dumps: readonly string[];
  /** Of the first store, not complete or not proven, and so not copied. */
  readonly skipped: readonly string[];
}

export interface CopyResult {
  readonly destination: string;
  /** Newest first; empty when all were there already. */
  readonly copied: readonly string[];
  readonly skipped: readonly string[];
  /** The newest dump of those asked for, which is at the second store now. */
  readonly newest: Manifest;
  readonly parts: CopiedParts;
  readonly seconds: number;
}

interface Chosen {
  readonly newest: FoundDump;
  readonly missing: readonly FoundDump[];
  readonly skipped: readonly string[];
}

const isPlainlyThere = (dump: FoundDump | undefined): boolean =>
  dump?.listed.complete === true && dump.manifest !== undefined;

/**
 * Which dumps the second store lacks of those that it would keep. A dump that is not whole at the first store, or that nobody
 * proves to be ours although a key is there, is not spread.
 *
 * @throws {DumpNotFoundError} there is none at the first store
 * @throws {IntegrityError} the newest one is not whole there
 */
const choose = async (setting: CopySetting): Promise<Chosen> => {
  const { first, second, policy, only } = setting;
  const atFirst = await findDumps(first);
  if (only !== undefined) return chooseOne(setting, atFirst, only);
  const sealedOnly = (await first.store.seal()) !== undefined;
  const good = atFirst.filter(({ listed }) => listed.complete && (listed.sealed === true || !sealedOnly));
  const skipped = atFirst.filter((dump) => !good.includes(dump));
  const [newest] = good;
  if (!newest || (atFirst[0] && !atFirst[0].listed.complete)) {
    const { dumpId, problem } = atFirst[0]?.listed ?? {};
    if (dumpId === undefined) {
      const words = await wordsOfDestination(first);
      throw new DumpNotFoundError(
        `there is no dump of ${first.installation} at ${first.destination.url} to copy: ${words}`,
      );
    }
    throw new IntegrityError(
      `the newest dump ${dumpId} at ${first.destination.url} is not copied: ${problem ?? "nothing proves that it is ours"}`,
    );
  }
  const there = await dumpsAt(second);
  const kept = policy ? keptAt(first.now(), policy, good, there) : undefined;
  return {
    newest,
    missing: good.filter(({ listed: { dumpId } }) => kept?.has(dumpId) !== false && !isPlainlyThere(there.get(dumpId))),
    skipped: skipped.map(({ listed }) => listed.dumpId),
  };
};

const dumpsAt = async (context: DumpContext): Promise<ReadonlyMap<string, FoundDump>> =>
  new Map((await findDumps(context)).map((dump) => [dump.listed.dumpId, dump]));

/** What the second store would keep, once all good dumps of the first one were there. */
const keptAt = (
  now: Date,
  policy: RetentionPolicy,
  good: readonly FoundDump[],
  there: ReadonlyMap<string, FoundDump>,
): ReadonlySet<string> => {
  const whole = [...there.values()].filter(({ listed }) => listed.complete);
  // Checks at the first store tell nothing of the second one, and its retention knows none of them.
  const unchecked = good.map((dump) => ({ ...dump, provenCheck: undefined, claimedCheck: undefined }));
  const both = new Map([...unchecked, ...whole].map((dump) => [dump.listed.dumpId, retainedOf(dump)]));
  return new Set(decideRetention([...both.values()], policy, { now }).keep.map(({ dumpId }) => dumpId));
};

/** The one dump that a person named. @throws {DumpNotFoundError | IntegrityError} it is not there, not whole, or not proven to be ours */
const chooseOne = async (
  { first, second }: CopySetting,
  atFirst: readonly FoundDump[],
  only: string,
): Promise<Chosen> => {
  const { dumpId } = await chooseFrom(first, atFirst, only);
  const dump = atFirst.find(({ listed }) => listed.dumpId === dumpId);
  if (!dump || ((await first.store.seal()) !== undefined && dump.listed.sealed !== true))
    throw new IntegrityError(
      `dump ${dumpId} at ${first.destination.url} is not copied: nothing proves that it is ours`,
    );
  const there = await dumpsAt(second);
  return { newest: dump, missing: isPlainlyThere(there.get(dumpId)) ? [] : [dump], skipped: [] };
};

/** Looks which dumps would be copied, and writes nothing. */
export const planCopy = async (setting: CopySetting): Promise<CopyPlan> => {
  const { first, second } = setting;
  await first.store.describeTools();
  await second.assertPlace?.();
  await assertNotLost(second, "copy");
  const { missing, skipped } = await choose(setting);
  return {
    dryRun: true,
    destination: second.destination.url,
    dumps: missing.map(({ listed }) => listed.dumpId),
    skipped,
  };
};

/**
 * Brings every dump to the second store that is missing there and that it would keep, newest first, and proves by what the
 * second store has that each is whole there. As at the first one a dump counts when its manifest is there, so that comes last:
 * a run that stops anywhere leaves no dump that is listed and not whole, and the next one continues.
 *
 * The caller holds the copy's lock. The first store is only read.
 *
 * @throws {ResidencyError} refused: the second store is where data may not go; nothing was written
 * @throws {InstallationBusyError} retryable: the first store was tidied up meanwhile
 */
export const copyDumps = async (
  setting: CopySetting,
  { forceNewRepository = false }: { readonly forceNewRepository?: boolean } = {},
): Promise<CopyResult> => {
  const { first, second, copier } = setting;
  const elapsed = stopwatch(first.now);
  await first.store.describeTools();
  await second.assertPlace?.();
  if (!forceNewRepository) await assertNotLost(second, "copy");
  const { newest, missing, skipped } = await choose(setting);
  if (skipped.length > 0)
    first.warn(
      `${skipped.length} dumps at ${first.destination.url} are not complete or not sealed, and are not copied`,
    );
  await second.store.recover(second);
  await copier.open(true, second);
  for (const dump of missing) {
    second.signal.throwIfAborted();
    await copyOne(setting, await genuineManifest(first, dump));
  }
  const manifest = await genuineManifest(first, newest);
  if (missing.length > 0) await assertCopied(setting, missing, manifest);
  return {
    destination: second.destination.url,
    copied: missing.map(({ listed }) => listed.dumpId),
    skipped,
    newest: manifest,
    parts: await copier.parts(manifest, second),
    seconds: elapsed(),
  };
};

const copyOne = async ({ second, copier }: CopySetting, manifest: Manifest): Promise<void> => {
  const { installation, destination, store, signal, progress } = second;
  await copier.halves(manifest, second);
  const halves = [manifest.database.part, manifest.sites.part];
  if (store.format === "portable") await store.verify("read-data", halves, { signal, progress });
  await copier.seal(manifest, second);
  await destination.put(manifestKey(installation, manifest.dumpId), manifestBytes(manifest));
  const readBack = await readManifest(destination, installation, manifest.dumpId);
  if (readBack?.digest !== manifest.digest)
    throw new IntegrityError(
      `the manifest of dump ${manifest.dumpId} was written to ${destination.url} but is not there when read back`,
    );
};

/** Trusts what the second store shows, under its own secret, and nothing that the first one said. */
const assertCopied = async ({ second }: CopySetting, copied: readonly FoundDump[], newest: Manifest): Promise<void> => {
  const { store, destination, signal, progress } = second;
  const there = new Map((await findDumps(second)).map((dump) => [dump.listed.dumpId, dump.listed]));
  for (const { listed } of copied) {
    const found = there.get(listed.dumpId);
    if (found?.complete && found.sealed === listed.sealed) continue;
    throw new IntegrityError(
      `dump ${listed.dumpId} was copied to ${destination.url} and is not complete there: ${found?.problem ?? "it is not sealed"}`,
    );
  }
  if (store.format !== "restic") return; // each was read back before its manifest was written
  await store.verify("objects", [newest.database.part, newest.sites.part], { signal, progress });
  const sealed = await store.readManifestCopy(newest.dumpId, second);
  if (!sealed?.equals(manifestBytes(newest)))
    throw new IntegrityError(
      `the sealed manifest of dump ${newest.dumpId} at ${destination.url} is not the one copied`,
    );
};
