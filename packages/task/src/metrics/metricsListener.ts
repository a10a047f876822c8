import type { JobRecord } from "@openemr-ops/core/jobs";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import type { Place } from "../program.ts";
import { jobSamples } from "./jobSamples.ts";
import { addToMetricsFile, assertMetricsFile } from "./metricsFile.ts";

/**
 * What keeps the configuration's metrics file up to date with the records of one job. A file that cannot be written at a job's
 * end is a warning and never the job's failure.
 *
 * @param request `copy`: the number of the copy that the job works on
 * @returns `undefined` where no file is configured
 * @throws {InvalidInputError} fatal, with the path `metricsFile`: nothing can be written there; nothing was done
 */
export const metricsListener = async (
  {
    config: { metricsFile },
    now,
    warn,
  }: Pick<Place, "now" | "warn"> & { readonly config: Pick<Place["config"], "metricsFile"> },
  request: object,
): Promise<((record: JobRecord) => Promise<void>) | undefined> => {
  if (metricsFile === undefined) return undefined;
  await assertMetricsFile(metricsFile);
  const copy = "copy" in request && typeof request.copy === "number" ? request.copy : undefined;
  return async (record) => {
    const samples = jobSamples(record, copy);
    if (samples.length === 0) return;
    await addToMetricsFile(metricsFile, samples, { now }).catch((error: unknown) => {
      const why = systemCodeOf(error) ?? (error instanceof Error ? error.name : typeof error);
      warn(`the metrics in ${metricsFile} were not renewed (${why}); the job is not affected`);
    });
  };
};
