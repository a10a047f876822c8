import { type DumpPlan, type DumpResult, planDump, takeDump } from "@openemr-ops/dumps/steps/takeDump";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { Program } from "../program.ts";
import { dumpContext } from "./dumpContext.ts";

/** Figures and identifiers, never the manifest or the names of tables. */
export const dumpPlanReport = ({ tables, views, warnings }: DumpPlan): TaskReport => ({
  figures: { tables, views, warnings: warnings.length },
  result: {},
});

/** A record with both identifier and destination shows that a repository was here; the next dump creates none when it is missing. */
export const dumpReport = (
  { dumpId, figures, manifest, manifestPart }: DumpResult,
  destination: string,
): TaskReport => ({
  figures: { ...figures },
  result: {
    dumpId,
    destination,
    // Who confirms the dump has no password: this names the manifest that counts, whatever else is at the destination.
    manifestDigest: manifest.digest,
    ...(manifestPart?.kind === "snapshot" ? { manifestSnapshot: manifestPart.snapshotId } : {}),
  },
});

export const dump: Program<"dump", DumpPlan, DumpResult> = {
  plan: async (place) => {
    const result = await planDump(await dumpContext(place));
    return { result, report: dumpPlanReport(result) };
  },
  run: async (place, { forceNewRepository }) => {
    const context = await dumpContext(place);
    const result = await takeDump(context, { forceNewRepository });
    return { result, report: dumpReport(result, context.destination.url) };
  },
};
