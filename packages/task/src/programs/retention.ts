import { requireSection } from "@openemr-ops/core/config/select";
import { applyRetention, type RetentionResult } from "@openemr-ops/dumps/steps/applyRetention";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { Place, Program } from "../program.ts";
import { dumpContext } from "./dumpContext.ts";

export const retentionReport = ({ keep, expire, orphans }: RetentionResult): TaskReport => ({
  figures: { kept: keep.length, expired: expire.length, orphans: orphans.length },
  result: {},
});

const apply = async (place: Place, dryRun: boolean) => {
  const { retention: policy } = requireSection(place.config, place.installation, "dumps").dumps;
  const result = await applyRetention(await dumpContext(place, "retention"), policy, dryRun);
  return { result, report: retentionReport(result) };
};

export const retention: Program<"retention", RetentionResult, RetentionResult> = {
  plan: (place) => apply(place, true),
  run: (place) => apply(place, false),
};
