import { onThisMachine } from "@openemr-ops/core/errors";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { openOrMake } from "@openemr-ops/files/directory";
import { journalIn } from "@openemr-ops/files/journal";
import type { OwnedDirectory } from "@openemr-ops/files/ownedDirectory";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { treeIn } from "../staging/stagedTree.ts";
import { recordVerification } from "../verification.ts";
import { compareRestored } from "./compare.ts";
import { assertRoom } from "./drillRoom.ts";
import { assertDrillServer, withDrillServer } from "./drillServer.ts";
import { chooseDump } from "./listDumps.ts";
import { loadParts } from "./loadParts.ts";
import { assertPassed, type Verdict, verdictOf } from "./verdict.ts";

/**
 * Rehearses a restore: into a scratch schema and directory, compared row by row with the manifest, keys opened,
 * documents looked for; then torn down. The schema is on a configured server, or on one that the drill starts itself.
 * Success is written down at the destination.
 *
 * @param name `latest` or a dump's identifier
 * @throws {ToolMissingError} refused: a program is missing; nothing was fetched
 * @throws {DiskFullError} the disk for drills is smaller than the dump; nothing was fetched
 * @throws {TargetUnsuitableError} refused: the server cannot take the dump, and the dump does not count as verified
 * @throws {IntegrityError | RestoredDataDiffersError | KeyPairError} the dump does not restore to what it should hold
 */
export const drillDump = async (context: DumpContext, name: string): Promise<Verdict> => {
  await context.store.describeTools();
  await assertDrillServer(context);
  const manifest = await chooseDump(context, name);
  await assertRoom(context, manifest);
  const journal = journalIn(context.stateDirectory, context.installation, "drill");
  await journal.sweep(context.warn);
  const doing = "making a directory for the drill";
  await using drills = await onThisMachine(doing, context.drillDirectory, () => openOrMake(context.drillDirectory));
  await using staging = await onThisMachine(doing, context.drillDirectory, () => journal.make(drills));
  try {
    const verdict = await withDrillServer(context, manifest, staging, (access) =>
      rehearse(context, manifest, access, staging),
    );
    const { tables, rows, files, documents, keyProof, seconds } = verdict;
    await recordVerification(
      context,
      manifest.dumpId,
      { level: "drill", at: context.now().toISOString() },
      { manifest: manifest.digest, tables, rows, files, documents, keyProof, seconds },
    );
    return verdict;
  } finally {
    await Promise.allSettled([journal.remove(staging)]); // what fails here is done by the next drill before it begins
  }
};

const rehearse = async (
  context: DumpContext,
  manifest: Manifest,
  access: DatabaseAccess,
  staging: OwnedDirectory,
): Promise<Verdict> => {
  const { seconds: loading, ...stored } = await loadParts(context, manifest, access, staging, { skip: ["events"] });
  const comparing = stopwatch(context.now);
  const comparison = await compareRestored(context, access, treeIn(staging), manifest, stored);
  const seconds = { ...loading, compare: comparing() };
  const target = { database: access.name, sites: staging.path };
  const verdict = verdictOf(manifest, target, comparison, seconds, [], stored.tree);
  assertPassed(verdict);
  return verdict;
};
