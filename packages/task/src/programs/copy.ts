import { type CopyPlan, type CopyResult, copyDumps, planCopy } from "@openemr-ops/dumps/steps/copyDumps";
import type { StoredPart } from "@openemr-ops/dumps/store/dumpStore";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import { openCopy } from "../openCopy.ts";
import type { Program } from "../program.ts";

/** @param copy its number in the configuration, where it has one */
export const copyPlanReport = ({ destination, dumps, skipped }: CopyPlan, copy?: number): TaskReport => ({
  figures: { copied: dumps.length, skipped: skipped.length },
  result: { ...numbered(copy), destination },
});

const numbered = (copy: number | undefined) => (copy === undefined ? {} : { copy: String(copy) });

/**
 * A record with the destination shows that a repository was here. Who confirms the copy has no password, and snapshots have
 * other identifiers there: these name what has to be at the copy.
 */
export const copyReport = (
  { destination, copied, skipped, newest, parts, seconds }: CopyResult,
  copy?: number,
): TaskReport => {
  const snapshotOf = (name: string, part: StoredPart | undefined) =>
    part?.kind === "snapshot" ? { [name]: part.snapshotId } : {};
  return {
    figures: { copied: copied.length, skipped: skipped.length, seconds },
    result: {
      ...numbered(copy),
      destination,
      dumpId: newest.dumpId,
      manifestDigest: newest.digest,
      ...snapshotOf("manifestSnapshot", parts.manifest),
      ...snapshotOf("databaseSnapshot", parts.database),
      ...snapshotOf("sitesSnapshot", parts.sites),
    },
  };
};

export const copy: Program<"copy", CopyPlan, CopyResult> = {
  plan: async (place, { copy: number }) => {
    const result = await planCopy(await openCopy(place, number));
    return { result, report: copyPlanReport(result, number) };
  },
  run: async (place, { copy: number, forceNewRepository }) => {
    const result = await copyDumps(await openCopy(place, number), { forceNewRepository });
    return { result, report: copyReport(result, number) };
  },
};
