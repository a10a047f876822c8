import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import type { RetentionResult } from "@openemr-ops/dumps/steps/applyRetention";
import type { CheckResult } from "@openemr-ops/dumps/steps/checkDumps";
import type { RestorePlan } from "@openemr-ops/dumps/steps/restoreDump";
import type { DumpPlan, DumpResult } from "@openemr-ops/dumps/steps/takeDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { DrillPlan } from "../operations.ts";

/** What a workflow hears of each result: figures and identifiers, never the manifest or the names of tables. */
export const dumpReport = (result: DumpResult | DumpPlan, { dumps }: InstallationWith<"dumps">): TaskReport => {
  if ("dryRun" in result) {
    const { tables, views, warnings } = result;
    return { figures: { tables, views, warnings: warnings.length }, result: {} };
  }
  // A record with both says that a repository was here: without it the next dump refuses to begin one.
  const { dumpId, figures, manifest, manifestPart } = result;
  return {
    figures: { ...figures },
    result: {
      dumpId,
      destination: formatDestination(dumps.destination),
      // Who confirms the dump has no password: this tells it which manifest is the one, whatever lies at the destination.
      manifestDigest: manifest.digest,
      ...(manifestPart?.kind === "snapshot" ? { manifestSnapshot: manifestPart.snapshotId } : {}),
    },
  };
};

export const verdictReport = (result: Verdict | RestorePlan | DrillPlan): TaskReport => {
  const { dumpId, takenAt, tables, rows, files, filesBytes } = result;
  if ("dryRun" in result) {
    const figures = { tables, rows, databaseBytes: result.databaseBytes, files, filesBytes };
    return { figures, result: { dumpId, takenAt } };
  }
  const { documents, warnings, seconds, verdict, keyProof, target } = result;
  return {
    figures: {
      tables,
      rows,
      files,
      filesBytes,
      documents,
      warnings: warnings.length,
      restoreSeconds: seconds.restore,
      compareSeconds: seconds.compare,
    },
    result: { dumpId, takenAt, verdict, keyProof, database: target.database, sites: target.sites },
  };
};

export const checkReport = ({ level, dumps, share, seconds }: CheckResult): TaskReport => ({
  figures: { dumps: dumps.length, seconds },
  result: { level, ...(share === undefined ? {} : { share }) },
});

export const retentionReport = ({ keep, expire, orphans }: RetentionResult): TaskReport => ({
  figures: { kept: keep.length, expired: expire.length, orphans: orphans.length },
  result: {},
});
