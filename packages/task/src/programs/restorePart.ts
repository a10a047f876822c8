import type { PartOptions } from "@openemr-ops/dumps/steps/partOptions";
import { type PartPlan, type PartVerdict, planPart, restorePart } from "@openemr-ops/dumps/steps/restorePart";
import { statusOf } from "@openemr-ops/dumps/steps/verdict";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { RunnableProgram } from "../runByHand.ts";
import { dumpContext } from "./dumpContext.ts";

/**
 * A restore of a part, by hand alone: it ends where a person looks at it, and its input, which a workflow would keep, can
 * name a patient. It has the locks and the record of a restore.
 */
interface RestorePartRequest extends PartOptions {
  readonly version: 1;
  readonly kind: "restore";
  readonly installation: string;
  readonly dryRun: boolean;
  readonly inPlace: false;
  readonly copy?: number | undefined;
}

/** Counts alone: neither patterns of files nor a patient's number is kept. */
const reportOf = (result: PartPlan | PartVerdict): TaskReport => {
  const { dumpId, takenAt, part, tables, rows, files, filesBytes } = result;
  const { database, sites } = result.target;
  return {
    figures: {
      ...{ tables: tables.length, rows, files, filesBytes },
      ...("seconds" in result
        ? { restoreSeconds: result.seconds.restore, compareSeconds: result.seconds.compare }
        : {}),
    },
    result: {
      ...{ dumpId, takenAt, part },
      ...(database === undefined ? {} : { database }),
      ...(sites === undefined ? {} : { sites }),
      ...("verdict" in result ? { verdict: result.verdict } : {}),
    },
  };
};

export type RestorePartProgram = RunnableProgram<RestorePartRequest, PartPlan, PartVerdict>;

export const restorePartProgram: RestorePartProgram = {
  plan: async (place, request) => {
    const result = await planPart(await dumpContext(place, request.copy), request);
    return { result, report: reportOf(result) };
  },
  run: async (place, request) => {
    const result = await restorePart(await dumpContext(place, request.copy), request);
    return { result, report: reportOf(result), exitCode: statusOf(result) };
  },
};
