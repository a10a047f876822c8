import * as errors from "@openemr-ops/core/errors";
import { formatDuration } from "@openemr-ops/core/format";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { renderFigures } from "../output.ts";
import { nothing, type Shown, shown } from "../shown.ts";
import { renderFacts } from "../table.ts";
import type { Stylist } from "../terminal.ts";

/** Exit status of a job's error by its name; that of a failure when no error of ours has the name. */
const exitCodeOfName = (name: string): number => {
  const found = Object.entries(errors).find(([known]) => known === name)?.[1];
  const known = typeof found === "function" && found.prototype instanceof errors.OpsError;
  return known ? errors.exitCodeOf(Object.create(found.prototype)) : 4;
};

/** Exit status of a program that followed a job to its end. */
export const exitCodeOfJob = ({ status, error }: JobRecord): number =>
  status === "succeeded" ? 0 : exitCodeOfName(error?.name ?? "");

export const jobSeconds = ({ requestedAt, startedAt = requestedAt, endedAt }: JobRecord): number | undefined =>
  endedAt === undefined ? undefined : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;

const colours = { succeeded: "green", failed: "red", aborted: "red", running: "yellow", requested: "yellow" } as const;

/** A job's status in its colour. */
export const styledStatus = ({ status }: JobRecord, style: Stylist): Shown => style(colours[status], status);

/** How a job ended, in words. */
export const describeEnd = (record: JobRecord, style: Stylist): Shown => {
  const { jobId, kind, installation, dryRun, figures = {}, result = {}, error } = record;
  const seconds = jobSeconds(record);
  const after = seconds === undefined ? "" : ` after ${formatDuration(seconds)}`;
  return shown`${[
    shown`Job ${style("bold", jobId)} (${kind} of ${installation}${dryRun ? ", dry run" : ""}): ${styledStatus(record, style)}${after}\n`,
    error ? shown`  ${style("bold", error.name)}: ${error.message}\n` : nothing,
    renderFacts(Object.entries(result)),
    renderFigures(figures),
  ]}`;
};
