import { type CheckPlan, type CheckResult, checkDumps, planCheck } from "@openemr-ops/dumps/steps/checkDumps";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { Program } from "../program.ts";
import { dumpContext } from "./dumpContext.ts";

const identifiersOf = ({ level, share }: CheckPlan | CheckResult): TaskReport["result"] => ({
  level,
  ...(share === undefined ? {} : { share }),
});

export const checkPlanReport = (plan: CheckPlan): TaskReport => ({
  figures: { dumps: plan.dumps.length },
  result: identifiersOf(plan),
});

export const checkReport = (result: CheckResult): TaskReport => ({
  figures: { dumps: result.dumps.length, seconds: result.seconds },
  result: identifiersOf(result),
});

export const check: Program<"check", CheckPlan, CheckResult> = {
  plan: async (place, { level, share, copy }) => {
    const result = await planCheck(await dumpContext(place, copy), level, share);
    return { result, report: checkPlanReport(result) };
  },
  run: async (place, { level, share, copy }) => {
    const context = await dumpContext(place, copy);
    const result = await checkDumps(context, level, share);
    return { result, report: checkReport(result) };
  },
};
