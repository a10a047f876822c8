import { hash } from "node:crypto";
import { onThisMachine } from "@openemr-ops/core/errors";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import { connect } from "@openemr-ops/database/connection";
import { dropLoaded } from "@openemr-ops/database/loadTarget";
import { openOrMake } from "@openemr-ops/files/directory";
import { journalIn } from "@openemr-ops/files/journal";
import type { DumpContext } from "../context.ts";
import { treeIn } from "../staging/stagedTree.ts";
import { recordVerification } from "../verification.ts";
import { compareRestored } from "./compare.ts";
import { chooseDump } from "./listDumps.ts";
import { loadParts } from "./loadParts.ts";
import { assertPassed, type Verdict, verdictOf } from "./verdict.ts";

/** One scratch schema an installation: what a killed drill left is found and removed by the next. The restore user needs rights on `<schema>_%`. */
export const scratchNameOf = (installation: string, schema: string): string =>
  `${schema.slice(0, 40)}_drill_${hash("sha256", installation).slice(0, 8)}`;

/**
 * Rehearses a restore: into a scratch schema and directory, compared row by row with the manifest, keys opened,
 * documents looked for; then torn down. Success is written down at the destination.
 *
 * @param name `latest` or a dump's identifier
 * @throws {IntegrityError | RestoredDataDiffersError | KeyPairError} the dump does not restore to what it should hold
 */
export const drillDump = async (context: DumpContext, name: string): Promise<Verdict> => {
  await context.store.describeTools();
  const manifest = await chooseDump(context, name);
  const schema = scratchNameOf(context.installation, context.database.name);
  const access = { ...context.drillDatabase, name: schema };
  const dropSchema = async () => {
    await using control = await connect(access, "information_schema");
    await dropLoaded(control, schema);
  };
  await dropSchema();
  const journal = journalIn(context.stateDirectory, context.installation, "drill");
  await journal.sweep(context.warn);
  const doing = "making a directory for the drill";
  await using drills = await onThisMachine(doing, context.drillDirectory, () => openOrMake(context.drillDirectory));
  await using staging = await onThisMachine(doing, context.drillDirectory, () => journal.make(drills));
  try {
    const skip = ["events"] as const;
    const { seconds: loading, ...stored } = await loadParts(context, manifest, access, staging, { skip });
    const comparing = stopwatch(context.now);
    const comparison = await compareRestored(context, access, treeIn(staging), manifest, stored);
    const seconds = { ...loading, compare: comparing() };
    const verdict = verdictOf(
      manifest,
      { database: schema, sites: staging.path },
      comparison,
      seconds,
      [],
      stored.tree,
    );
    assertPassed(verdict);
    const { tables, rows, files, documents, keyProof } = verdict;
    await recordVerification(
      context,
      manifest.dumpId,
      { level: "drill", at: context.now().toISOString() },
      { manifest: manifest.digest, tables, rows, files, documents, keyProof, seconds },
    );
    return verdict;
  } finally {
    // What fails here is done by the next drill before it begins.
    await Promise.allSettled([dropSchema(), journal.remove(staging)]);
  }
};
