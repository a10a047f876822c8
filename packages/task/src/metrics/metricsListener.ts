import { toOpsError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import type { Place } from "../program.ts";
import { jobSamples } from "./jobSamples.ts";
import { addToMetricsFile, assertMetricsFile } from "./metricsFile.ts";

/**
 * What keeps the configuration's metrics file up to date with the records of one job. A file that cannot be written is a warning,
 * before the job and at its end, and never the job's failure: who watches notices values that do not change.
 *
 * @param request `copy`: the number of the copy that the job works on
 * @returns `undefined` where no file is configured, or none can be kept
 */
export const metricsListener = async (
  {
    config: { metricsFile },
    now,
    warn,
  }: Pick<Place, "now" | "warn"> & { readonly config: Pick<Place["config"], "metricsFile"> },
  request: object,
): Promise<((record: JobRecord) => Promise<void>) | undefined> => {
  // A place that a person copied to once is none that monitoring watches.
  if (metricsFile === undefined || "to" in request) return undefined;
  try {
    await assertMetricsFile(metricsFile);
  } catch (error) {
    warn(`no metrics are kept: ${toOpsError(error).message}`);
    return undefined;
  }
  const copy = "copy" in request && typeof request.copy === "number" ? request.copy : undefined;
  return async (record) => {
    const samples = jobSamples(record, copy);
    if (samples.length === 0) return;
    await addToMetricsFile(metricsFile, samples, { now }).catch((error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined;
      const why = systemCodeOf(error) ?? systemCodeOf(cause) ?? (error instanceof Error ? error.name : typeof error);
      warn(`the metrics in ${metricsFile} were not renewed (${why}); the job is not affected`);
    });
  };
};
