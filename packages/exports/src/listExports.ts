import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import type { JobHistory, JobRecord } from "@openemr-ops/core/jobs";
import * as z from "zod";
import type { SkippedTable } from "./context.ts";
import { exportTime } from "./exportId.ts";
import { storedJson } from "./storedJson.ts";

export type ExportKind = "database" | "sites";

/** One export as the destination has it, or as a job that runs makes it. */
export interface ListedExport {
  readonly kind: ExportKind;
  /** `null` of a running one that has written nothing yet. */
  readonly exportId: string | null;
  /** ISO 8601 UTC. */
  readonly startedAt: string;
  /** `complete`: its `_SUCCESS` is there. `incomplete`: no reader uses it, nothing adds to it. */
  readonly state: "complete" | "incomplete" | "running";
  /** Where the data is. */
  readonly location: string;
  readonly profile?: string;
  /** `false`: of some tables, rows that were written before `since` are not there. */
  readonly complete?: false;
  readonly since?: string;
  readonly tables?: number;
  readonly rows?: number;
  readonly files?: number;
  readonly bytes?: number;
  /** Files that OpenEMR encrypted lie there in clear. */
  readonly documents?: "decrypted";
  readonly seconds?: number;
  readonly skipped?: readonly SkippedTable[];
  /** The job that made it, where its record is known. */
  readonly jobId?: string;
  /** Why it is incomplete, where that is known. */
  readonly problem?: string;
}

export interface ExportListing {
  readonly installation: string;
  readonly destination: Destination;
  readonly jobs: JobHistory;
  /** The job that holds a lock now. */
  readonly holder: (resource: "export-database" | "export-sites") => Promise<string | undefined>;
}

type Json = Readonly<Record<string, unknown>>;

const anyObject = z.record(z.string(), z.unknown());

/** A list of exports has those that somebody damaged too, without figures, and what is wrong. */
const readJson = async (
  destination: Destination,
  key: string,
): Promise<{ readonly json: Json; readonly problem?: string } | undefined> => {
  try {
    const json = await storedJson(destination, key, anyObject);
    return json && { json };
  } catch (error) {
    if (error instanceof IntegrityError) return { json: {}, problem: `${error.name}: ${error.message}` };
    throw error;
  }
};

const numberIn = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const textIn = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const objectsIn = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter((one): one is Json => typeof one === "object" && one !== null) : [];

/** Leaves out what is not known. */
const known = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
  };

const total = (tables: readonly Json[], field: string): number =>
  tables.reduce((sum, table) => sum + (numberIn(table[field]) ?? 0), 0);

const figuresOfManifest = (manifest: Json) => {
  const tables = objectsIn(manifest.tables);
  return known({
    profile: textIn(manifest.profile),
    complete: manifest.complete === false ? (false as const) : undefined,
    since: textIn(manifest.since),
    tables: tables.length,
    rows: total(tables, "rows"),
    bytes: total(tables, "bytes"),
    skipped: objectsIn(manifest.skipped).map(({ table, reason }) => ({
      table: textIn(table) ?? "",
      reason: textIn(reason) ?? "",
    })),
  });
};

/** Record and name come from two machines, whose clocks differ by fractions of a second. */
const inSeconds = (moment: string): number => Math.floor(Date.parse(moment) / 1000);

/**
 * The job of an export: the one that says so, or else the newest that had begun by then. One at a time holds the lock; a job that
 * did not get it made none.
 */
const jobOf = (jobs: readonly JobRecord[], exportId: string, startedAt: Date): JobRecord | undefined => {
  const second = inSeconds(startedAt.toISOString());
  return (
    jobs.find(({ result }) => result?.exportId === exportId) ??
    jobs.find(({ startedAt: from, endedAt: to, result, error }) => {
      const during = from !== undefined && inSeconds(from) <= second && (to === undefined || second <= inSeconds(to));
      return during && result?.exportId === undefined && error?.name !== "InstallationBusyError";
    })
  );
};

const describeJob = (job: JobRecord | undefined) =>
  known({
    jobId: job?.jobId,
    seconds: job?.figures?.seconds,
    problem: job?.error && `${job.error.name}: ${job.error.message}`,
  });

const stopped = "the job that made it ended without completing it";

const listDatabase = async (
  { destination }: ExportListing,
  jobs: readonly JobRecord[],
  holder: JobRecord | undefined,
): Promise<readonly ListedExport[]> => {
  const found = new Map<string, { startedAt: Date; success: boolean; manifest: boolean }>();
  for await (const { key } of destination.list("database/")) {
    const [, exportId = "", name, below] = key.split("/");
    const startedAt = exportTime(exportId);
    if (!startedAt) continue;
    const one = found.get(exportId) ?? { startedAt, success: false, manifest: false };
    found.set(exportId, one);
    if (below !== undefined) continue;
    if (name === "_SUCCESS") one.success = true;
    if (name === "_manifest.json") one.manifest = true;
  }
  const listed: ListedExport[] = [];
  for (const [exportId, { startedAt, success, manifest }] of found) {
    const job = jobOf(jobs, exportId, startedAt);
    const running = !success && holder !== undefined && job?.jobId === holder.jobId;
    const state = success ? "complete" : running ? "running" : "incomplete";
    const found = manifest ? await readJson(destination, `database/${exportId}/_manifest.json`) : undefined;
    listed.push({
      kind: "database",
      exportId,
      startedAt: startedAt.toISOString(),
      state,
      location: `${destination.url}/database/${exportId}`,
      ...(state === "incomplete" ? { problem: stopped } : {}),
      ...(found ? figuresOfManifest(found.json) : {}),
      ...known({ problem: found?.problem }),
      ...describeJob(job),
    });
  }
  return listed;
};

/** What `_SUCCESS` or `_INCOMPLETE` says of an export of the sites. */
const describeSeal = (
  { destination }: ExportListing,
  jobs: readonly JobRecord[],
  seal: Json | undefined,
  state: ListedExport["state"],
): readonly ListedExport[] => {
  const exportId = textIn(seal?.exportId);
  const startedAt = exportId === undefined ? undefined : exportTime(exportId);
  if (!seal || exportId === undefined || !startedAt) return [];
  const figures = objectsIn([seal.figures])[0] ?? {};
  const unreadable = (numberIn(figures.unreadable) ?? 0) + (numberIn(figures.undecryptable) ?? 0);
  return [
    {
      kind: "sites",
      exportId,
      startedAt: startedAt.toISOString(),
      state,
      location: `${destination.url}/sites`,
      ...known({ files: numberIn(figures.files), bytes: numberIn(figures.bytes) }),
      ...(seal.documents === "decrypted" ? { documents: seal.documents } : {}),
      ...(state === "incomplete"
        ? { problem: `${unreadable} files could not be read or decrypted; the inventory has them` }
        : {}),
      ...describeJob(jobOf(jobs, exportId, startedAt)),
    },
  ];
};

/** The one that readers use, and a later one that did not come to its end. */
const listSites = async (
  listing: ExportListing,
  jobs: readonly JobRecord[],
  running: boolean,
): Promise<readonly ListedExport[]> => {
  const { destination } = listing;
  const sealOf = async (name: string) => (await readJson(destination, `sites/${name}`))?.json;
  const success = describeSeal(listing, jobs, await sealOf("_SUCCESS"), "complete");
  const incomplete = describeSeal(listing, jobs, await sealOf("_INCOMPLETE"), "incomplete");
  const [last] = jobs;
  if (running || incomplete.length > 0 || !last?.startedAt || last.status === "succeeded")
    return [...success, ...incomplete];
  const failed: ListedExport = {
    kind: "sites",
    exportId: null,
    startedAt: last.startedAt,
    state: "incomplete",
    location: `${destination.url}/sites`,
    problem: stopped,
    ...describeJob(last),
  };
  return [...success, failed];
};

/**
 * The exports of an installation, newest first: what the destination holds decides, the records of jobs say why. Of the
 * sites there is one at most beside a running or failed one, for each builds on the one before.
 */
export const listExports = async (listing: ExportListing): Promise<readonly ListedExport[]> => {
  const { installation, destination, jobs: history, holder } = listing;
  const records = (await history.list(installation, 1000)).filter(({ dryRun }) => !dryRun);
  const of = (kind: string) => records.filter((record) => record.kind === kind);
  const holding = async (resource: Parameters<typeof holder>[0]) => {
    const jobId = await holder(resource);
    return records.find((record) => record.jobId === jobId);
  };
  const [databaseJob, sitesJob] = [await holding("export-database"), await holding("export-sites")];
  const database = await listDatabase(listing, of("exportDatabase"), databaseJob);
  const sites = await listSites(listing, of("exportSites"), sitesJob !== undefined);
  const starting = (
    [
      ["database", databaseJob],
      ["sites", sitesJob],
    ] as const
  ).flatMap(([kind, job]): readonly ListedExport[] =>
    job?.startedAt === undefined || database.some(({ jobId }) => jobId === job.jobId)
      ? []
      : [
          {
            kind,
            exportId: null,
            startedAt: job.startedAt,
            state: "running",
            location: `${destination.url}/${kind}`,
            jobId: job.jobId,
          },
        ],
  );
  return [...database, ...sites, ...starting].sort((one, other) =>
    one.startedAt < other.startedAt ? 1 : one.startedAt > other.startedAt ? -1 : one.kind < other.kind ? -1 : 1,
  );
};
