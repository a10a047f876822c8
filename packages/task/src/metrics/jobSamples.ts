import type { JobRecord } from "@openemr-ops/core/jobs";
import type { MetricName, Sample } from "./textfile.ts";

/** Figures of a job that the file shows, and the metric of each. */
const figureMetrics: readonly (readonly [figure: string, metric: MetricName])[] = [
  ["tables", "openemr_ops_job_tables"],
  ["rows", "openemr_ops_job_rows"],
  ["files", "openemr_ops_job_files"],
  ["databaseBytes", "openemr_ops_job_database_bytes"],
  ["filesBytes", "openemr_ops_job_files_bytes"],
  ["bytes", "openemr_ops_job_bytes"],
  ["warnings", "openemr_ops_job_warnings"],
];

/** A drill, or a check that read every stored byte. A share of the bytes proves no dump. */
const verifies = ({ kind, result = {} }: JobRecord): boolean =>
  kind === "drill" ||
  (kind === "check" && result.share === undefined && ["read-data", "drill"].includes(result.level ?? ""));

/**
 * What a job's end changes in the metrics. What only a success tells is absent for a failure, so that the values of the
 * last success stay.
 *
 * @param copy the number of the copy that it worked on; not set, the first destination
 * @returns nothing while the job runs
 */
export const jobSamples = (record: JobRecord, copy?: number): readonly Sample[] => {
  const { kind, installation, status, startedAt, requestedAt, endedAt, figures = {}, result = {} } = record;
  // A restore of a part proves nothing about restores of all.
  if (endedAt === undefined || result.part !== undefined) return [];
  const where = copy === undefined ? {} : { copy: String(copy) };
  const labels = { installation, kind, ...where };
  const milliseconds = Date.parse(endedAt);
  const ended = milliseconds / 1000;
  const value = (name: MetricName, number: number): Sample => ({ name, labels, value: number });
  const succeeded = status === "succeeded";
  const ofRun = [
    value("openemr_ops_job_last_run_timestamp_seconds", ended),
    value("openemr_ops_job_last_run_success", succeeded ? 1 : 0),
    value("openemr_ops_job_last_run_duration_seconds", (milliseconds - Date.parse(startedAt ?? requestedAt)) / 1000),
  ];
  if (!succeeded) return ofRun;
  const verified: Sample = {
    name: "openemr_ops_dump_last_verification_timestamp_seconds",
    labels: { installation, ...where },
    value: ended,
  };
  return [
    ...ofRun,
    value("openemr_ops_job_last_success_timestamp_seconds", ended),
    ...figureMetrics.flatMap(([figure, name]) => {
      const number = figures[figure];
      return number === undefined ? [] : [value(name, number)];
    }),
    ...(verifies(record) ? [verified] : []),
  ];
};
