import { DumpNotFoundError, IntegrityError } from "@openemr-ops/core/errors";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import type { DumpContext } from "../context.ts";
import { type Manifest, manifestBytes } from "../manifest.ts";
import { recordVerification, type VerificationLevel } from "../verification.ts";
import { drillDump } from "./drillDump.ts";
import { assertDrillServer } from "./drillServer.ts";
import { chooseFrom, findDumps, genuineManifest } from "./listDumps.ts";

export interface CheckResult {
  readonly level: VerificationLevel;
  /** Dumps that passed. */
  readonly dumps: readonly string[];
  /** Which part of the data was read, where not all. */
  readonly share?: string;
  readonly seconds: number;
}

/**
 * Compares the plain manifest with its copy inside the encrypted repository, which nobody without the password can forge.
 *
 * @throws {IntegrityError} they differ, or the copy is gone
 */
const assertManifestCopy = async (context: DumpContext, manifest: Manifest): Promise<void> => {
  if (context.store.format !== "restic") return;
  const copy = await context.store.readManifestCopy(manifest.dumpId, context);
  if (!copy?.equals(manifestBytes(manifest)))
    throw new IntegrityError(
      `manifest of dump ${manifest.dumpId} ${copy ? "differs from" : "has no"} its sealed copy in the repository`,
    );
};

/** What a check would look at. Nothing was written. */
export interface CheckPlan {
  readonly dryRun: true;
  readonly level: VerificationLevel;
  readonly dumps: readonly string[];
  readonly share?: string;
}

/** Every dump and its manifest. @throws {IntegrityError} one of them is not complete */
const dumpsToCheck = async (context: DumpContext) => {
  const dumps = await findDumps(context);
  const newest = await chooseFrom(context, dumps, "latest");
  const broken = dumps.filter(({ listed }) => !listed.complete);
  if (broken.length > 0)
    throw new IntegrityError(
      `${broken.length} of ${dumps.length} dumps are not complete: ${broken
        .map(({ listed }) => `${listed.dumpId} (${listed.problem})`)
        .slice(0, 3)
        .join("; ")}`,
    );
  const manifests: Manifest[] = [];
  for (const dump of dumps) manifests.push(dump.manifest ?? (await genuineManifest(context, dump)));
  if (manifests.length === 0) throw new DumpNotFoundError("there is no dump to check");
  return { newest, manifests };
};

/** Looks which dumps a check is about, and writes nothing. */
export const planCheck = async (context: DumpContext, level: VerificationLevel, share?: string): Promise<CheckPlan> => {
  await context.store.describeTools();
  if (level === "drill") await assertDrillServer(context);
  const { newest, manifests } = await dumpsToCheck(context);
  const dumps = (level === "drill" ? [newest] : manifests).map(({ dumpId }) => dumpId);
  return { dryRun: true, level, dumps, ...(share ? { share } : {}) };
};

/**
 * Checks what lies at the destination, for all dumps at once, and notes there which dumps passed. `objects`: manifests and
 * the small objects of the store; `read-data`: every stored byte, or a share such as `3/52` of it; `drill`: a restore drill
 * of the newest. Removes locks that dead programs left in the store.
 *
 * @throws {IntegrityError} names what is damaged
 */
export const checkDumps = async (
  context: DumpContext,
  level: VerificationLevel,
  share?: string,
): Promise<CheckResult> => {
  const elapsed = stopwatch(context.now);
  if (level === "drill") {
    const { dumpId } = await drillDump(context, "latest");
    return { level, dumps: [dumpId], seconds: elapsed() };
  }
  await context.store.describeTools();
  context.progress({ step: "list" });
  const { newest, manifests } = await dumpsToCheck(context);
  await context.store.recover(context);
  context.progress({ step: "check", detail: share ? `${level}, part ${share}` : level });
  await context.store.verify(
    level,
    manifests.flatMap(({ database, sites }) => [database.part, sites.part]),
    { signal: context.signal, progress: context.progress, ...(share ? { share } : {}) },
  );
  for (const manifest of level === "read-data" ? manifests : [newest]) await assertManifestCopy(context, manifest);
  const at = context.now().toISOString();
  if (!share)
    for (const { dumpId, digest } of manifests)
      await recordVerification(context, dumpId, { level, at }, { manifest: digest });
  return { level, dumps: manifests.map(({ dumpId }) => dumpId), ...(share ? { share } : {}), seconds: elapsed() };
};
