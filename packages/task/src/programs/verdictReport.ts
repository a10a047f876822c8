import type { RestorePlan } from "@openemr-ops/dumps/steps/restoreDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";

/** What a restore or a drill would restore. */
export const restorePlanReport = (
  plan: Pick<RestorePlan, "dumpId" | "takenAt" | "tables" | "rows" | "databaseBytes" | "files" | "filesBytes">,
): TaskReport => {
  const { dumpId, takenAt, tables, rows, databaseBytes, files, filesBytes } = plan;
  return { figures: { tables, rows, databaseBytes, files, filesBytes }, result: { dumpId, takenAt } };
};

/** The result of a restore or a drill. */
export const verdictReport = (result: Verdict): TaskReport => {
  const { dumpId, takenAt, tables, rows, files, filesBytes } = result;
  const { documents, warnings, notRestored, seconds, verdict, keyProof, target } = result;
  return {
    figures: {
      tables,
      rows,
      files,
      filesBytes,
      documents,
      warnings: warnings.length,
      ...(notRestored.length > 0 ? { notRestored: notRestored.reduce((sum, { count }) => sum + count, 0) } : {}),
      restoreSeconds: seconds.restore,
      compareSeconds: seconds.compare,
    },
    result: { dumpId, takenAt, verdict, keyProof, database: target.database, sites: target.sites },
  };
};
