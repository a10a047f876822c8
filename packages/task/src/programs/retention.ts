import { applyRetention, type RetentionResult } from "@openemr-ops/dumps/steps/applyRetention";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { Place, Program } from "../program.ts";
import { dumpContext, dumpsOf } from "./dumpContext.ts";

export const retentionReport = ({ keep, expire, orphans, spaceTakenUntil }: RetentionResult): TaskReport => ({
  figures: { kept: keep.length, expired: expire.length, orphans: orphans.length },
  result: spaceTakenUntil === undefined ? {} : { spaceTakenUntil },
});

const apply = async (place: Place, copy: number | undefined, dryRun: boolean) => {
  const { retention: policy } = dumpsOf(place, copy).dumps;
  const result = await applyRetention(await dumpContext(place, copy, "retention"), policy, dryRun);
  return { result, report: retentionReport(result) };
};

export const retention: Program<"retention", RetentionResult, RetentionResult> = {
  plan: (place, { copy }) => apply(place, copy, true),
  run: (place, { copy }) => apply(place, copy, false),
};
