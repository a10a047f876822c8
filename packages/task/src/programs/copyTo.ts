import { assertNotLost, isBegun } from "@openemr-ops/dumps/steps/assertNotLost";
import {
  type CopyPlan,
  type CopyResult,
  type CopySetting,
  copyDumps,
  planCopy,
} from "@openemr-ops/dumps/steps/copyDumps";
import type { CopyInput } from "@openemr-ops/events/inputs/copy";
import { assertMounted } from "../assertMounted.ts";
import { openCopy } from "../openCopy.ts";
import type { Place } from "../program.ts";
import type { RunnableProgram } from "../runByHand.ts";
import { copyPlanReport, copyReport } from "./copy.ts";
import { dumpsOf } from "./dumpContext.ts";

/** A copy to a place that the configuration does not list. The place is the only copy of the installation that it gets. */
export interface CopyToRequest extends CopyInput {
  /** The place, for the record. */
  readonly to: string;
  /** `latest` or a dump's identifier; not set, all. */
  readonly dump?: string | undefined;
}

const opened = async (place: Place, { copy, dump, forceNewRepository }: CopyToRequest): Promise<CopySetting> => {
  const { first, second, copier } = await openCopy(place, copy);
  if (!forceNewRepository && !(await isBegun(second))) {
    await assertNotLost(second, "copy");
    await assertMounted(dumpsOf(place, copy).dumps.destination);
  }
  return { first, second, copier, only: dump };
};

/** Copies by hand, to any place, with the proofs of a copy of the configuration. Nothing is ever deleted there. */
export const copyTo: RunnableProgram<CopyToRequest, CopyPlan, CopyResult> = {
  plan: async (place, request) => {
    const result = await planCopy(await opened(place, request));
    return { result, report: copyPlanReport(result) };
  },
  run: async (place, request) => {
    const { forceNewRepository } = request;
    const result = await copyDumps(await opened(place, request), { forceNewRepository });
    return { result, report: copyReport(result) };
  },
};
