import type { Destination } from "@openemr-ops/core/destination";
import type { JobRecord, JobStatus, JobStep } from "@openemr-ops/core/jobs";
import * as z from "zod";
import type { SkippedTable } from "./context.ts";
import { exportTaskIdentifier } from "./startedDatabaseExport.ts";
import { storedJson } from "./storedJson.ts";

/** How an export goes, for whoever started it. */
export interface ExportStatus {
  readonly jobId: string;
  readonly export: "database" | "sites";
  readonly state: JobStatus;
  readonly exportTaskIdentifier?: string;
  readonly requestedAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** What it got to, with numbers. */
  readonly steps: readonly Pick<JobStep, "name" | "at" | "figures">[];
  /** Rows, files, bytes, seconds; of a success. */
  readonly figures: Readonly<Record<string, number>>;
  readonly exportId?: string;
  readonly profile?: string;
  /** Where the data is, once all of it is there. */
  readonly location?: string;
  /** Of some tables, rows that were written before this day are not there; the manifest names them. */
  readonly since?: string;
  /** Tables that were left out, and why. */
  readonly skipped?: readonly SkippedTable[];
  readonly error?: { readonly name: string; readonly message: string };
}

const halves: Readonly<Record<string, "database" | "sites">> = { exportDatabase: "database", exportSites: "sites" };

export const isExport = ({ kind }: Pick<JobRecord, "kind">): boolean => halves[kind] !== undefined;

/** As much of a manifest as a status reports, whichever engine wrote it. */
const manifestHead = z.object({
  version: z.literal(1),
  since: z.string().optional(),
  skipped: z.array(z.object({ table: z.string(), reason: z.string() })),
});

const named = <Name extends string, Value>(name: Name, value: Value | undefined): { readonly [Key in Name]?: Value } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: Value };

/**
 * Says of a job of an export what its record and, when it ended well, its destination have.
 *
 * @throws {IntegrityError} damaged: the export's manifest is not the one that was written
 */
export const exportStatus = async (
  record: JobRecord,
  openDestination: () => Promise<Destination>,
): Promise<ExportStatus> => {
  const half = halves[record.kind] ?? "database";
  const { jobId, status, requestedAt, startedAt, endedAt, steps = [], figures = {}, result = {}, error } = record;
  const { exportId, profile } = result;
  const done = status === "succeeded" && !record.dryRun;
  const destination = done ? await openDestination() : undefined;
  const hasManifest = half === "database" && exportId !== undefined;
  const manifest =
    destination && hasManifest
      ? await storedJson(destination, `database/${exportId}/_manifest.json`, manifestHead)
      : undefined;
  const folder = half === "sites" ? "sites" : exportId === undefined ? undefined : `database/${exportId}`;
  return {
    jobId,
    export: half,
    state: status,
    ...(half === "database" ? { exportTaskIdentifier: exportTaskIdentifier(record.installation, jobId) } : {}),
    requestedAt,
    ...named("startedAt", startedAt),
    ...named("endedAt", endedAt),
    steps: steps.map(({ name, at, figures: numbers }) => ({ name, at, ...named("figures", numbers) })),
    figures,
    ...named("exportId", exportId),
    ...named("profile", profile),
    ...named("location", destination && folder && `${destination.url}/${folder}`),
    ...named("since", manifest?.since),
    ...named("skipped", manifest?.skipped),
    ...named("error", error),
  };
};
