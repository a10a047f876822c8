import type { Destination } from "@openemr-ops/core/destination";
import { DatabaseFailedError, IntegrityError, JobTimeoutError } from "@openemr-ops/core/errors";
import * as z from "zod";
import type { SkippedTable } from "../context.ts";
import { storedJson } from "../storedJson.ts";
import type { ClusterExports } from "./clusterExports.ts";
import { type AuroraPlan, readPlan } from "./planAurora.ts";

/** Where a call left off, for the next one. */
export interface AuroraState {
  readonly state: "new" | "queued" | "starting" | "running" | "done";
  /** Since when it is in it; ISO 8601 UTC. */
  readonly since: string;
}

export interface AuroraRequest {
  readonly installation: string;
  readonly exportId: string;
  readonly identifier: string;
  /** SHA-256 of the plan, as the task that stored it says. */
  readonly plan: string;
  readonly before: AuroraState;
}

export interface AuroraPorts {
  readonly clusterExports: ClusterExports;
  readonly destination: Destination;
  /** The destination's prefix in its bucket. */
  readonly prefix: string;
  readonly now: () => Date;
}

export interface FollowedAurora extends AuroraState {
  /** What is known so far; of `done`, of the whole export. */
  readonly figures: Readonly<Record<string, number>>;
  readonly result: Readonly<Record<string, string>>;
}

/** Source: docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/export-cluster-data.Considerations.html. */
const mostInAccount = 5;
const mostOfCluster = 1;
/** With a right missing, an export was seen to start for ever. */
const longestStart = 90 * 60_000;

/** A name as RDS makes folders of it. */
const folderName = (name: string): string => name.replaceAll(/[^A-Za-z0-9_.$-]/g, "_");

const tableStatus = z.object({
  target: z.string().nullish(),
  status: z.string().nullish(),
  warningMessage: z.string().nullish(),
});
/** What RDS writes beside an export. */
const tablesInfo = z.object({ perTableStatus: z.array(tableStatus).nullish() });

interface StoredTable {
  readonly table: string;
  readonly directory: string;
  readonly bytes: number;
  readonly files: number;
}

/** What RDS wrote, by what lies there and by what it says of each table. Folders below a table's are its too. */
const whatIsThere = async ({ destination }: AuroraPorts, root: string, { schema, tables }: AuroraPlan) => {
  const said = new Map<string, z.output<typeof tableStatus>>();
  const folders = new Map<string, { bytes: number; files: number }>();
  for await (const { key, byteLength } of destination.list(root)) {
    const [first = "", folder = ""] = key.slice(root.length).split("/");
    if (/^export_tables_info_.*\.json$/.test(first)) {
      const info = await storedJson(destination, key, tablesInfo);
      for (const one of info?.perTableStatus ?? []) said.set(one.target ?? "", one);
    }
    if (!key.endsWith(".parquet")) continue;
    const known = folders.get(folder) ?? { bytes: 0, files: 0 };
    folders.set(folder, { bytes: known.bytes + byteLength, files: known.files + 1 });
  }
  const stored: StoredTable[] = [];
  const missing: SkippedTable[] = [];
  for (const table of tables) {
    const name = `${schema}.${table}`;
    const status = said.get(name);
    const folder = folders.get(folderName(name));
    const whole = status === undefined || status.status === "COMPLETE";
    if (whole && (folder || status))
      stored.push({ table, directory: `${schema}/${folderName(name)}`, ...(folder ?? { bytes: 0, files: 0 }) });
    else missing.push({ table, reason: status?.warningMessage ?? "RDS completed the export without this table" });
  }
  return { stored, missing };
};

/** Compares what RDS wrote with what it was asked for, and says so beside it; the mark of completeness last. */
const complete = async (
  { installation, exportId, identifier, plan: sha256 }: AuroraRequest,
  ports: AuroraPorts,
  facts: { readonly snapshotAt?: string | undefined; readonly warning?: string | undefined },
): Promise<Pick<FollowedAurora, "figures" | "result">> => {
  const { destination } = ports;
  const plan = await readPlan(destination, exportId, sha256);
  const folder = `database/${exportId}`;
  const { stored, missing } = await whatIsThere(ports, `${folder}/${identifier}/`, plan);
  if (stored.length === 0)
    throw new IntegrityError(`RDS reports ${identifier} as complete, and no table of it is in ${destination.url}`);
  const location = `${destination.url}/${folder}`;
  const skipped = [...plan.skipped, ...missing];
  const manifest = {
    version: 1,
    exportId,
    installation,
    engine: "aurora",
    profile: "full",
    schema: plan.schema,
    location,
    exportTask: { identifier, ...facts },
    tables: stored.map(({ directory, ...one }) => ({ ...one, directory: `${identifier}/${directory}` })),
    skipped,
  };
  await destination.put(`${folder}/_manifest.json`, Buffer.from(JSON.stringify(manifest, null, 1)));
  await destination.put(`${folder}/_SUCCESS`, Buffer.alloc(0));
  return {
    figures: {
      tables: stored.length,
      bytes: stored.reduce((sum, { bytes }) => sum + bytes, 0),
      skipped: skipped.length,
    },
    result: { exportId, location, profile: "full", exportTask: identifier },
  };
};

/**
 * One look at an export that RDS makes: starts it when it is its turn, says how far it is, and completes it. A workflow waits
 * between two looks, and gives each the state of the one before. Safe to repeat.
 *
 * @throws {DatabaseFailedError} fatal: RDS failed or somebody cancelled it; has RDS's own words
 * @throws {JobTimeoutError} fatal: RDS does not get beyond STARTING
 * @throws {IntegrityError} damaged: RDS reports it as complete, and nothing is there; the plan was altered
 */
export const followAurora = async (request: AuroraRequest, ports: AuroraPorts): Promise<FollowedAurora> => {
  const { exportId, identifier, before } = request;
  const { clusterExports, destination, prefix, now } = ports;
  const at = (state: AuroraState["state"], figures: Readonly<Record<string, number>>): FollowedAurora => ({
    state,
    since: before.state === state ? before.since : now().toISOString(),
    figures,
    result: { exportId, exportTask: identifier },
  });
  const found = await clusterExports.find(identifier);
  if (!found) {
    const running = await clusterExports.running();
    const ofCluster = running.filter(({ source }) => source === clusterExports.cluster);
    if (running.length >= mostInAccount || ofCluster.length >= mostOfCluster)
      return at("queued", { percent: 0, ahead: running.length });
    const { schema, tables } = await readPlan(destination, exportId, request.plan);
    await clusterExports.start({
      identifier,
      prefix: [prefix, "database", exportId].filter(Boolean).join("/"),
      only: tables.map((table) => `${schema}.${table}`),
    });
    return at("starting", { percent: 0 });
  }
  const { status, percent, failure, warning, snapshotAt } = found;
  switch (status) {
    case "COMPLETE":
      return { ...at("done", {}), ...(await complete(request, ports, { snapshotAt, warning })) };
    case "FAILED":
      throw new DatabaseFailedError(`RDS failed to export the cluster: ${failure ?? warning ?? "it gives no reason"}`);
    case "CANCELED":
    case "CANCELING":
      throw new DatabaseFailedError(`somebody cancelled ${identifier} in RDS; start the export again`);
    case "STARTING": {
      const starting = at("starting", { percent });
      if (now().getTime() - Date.parse(starting.since) > longestStart)
        throw new JobTimeoutError(
          `${identifier} has been STARTING for 90 minutes: a right of the export's role or its key is likely missing`,
        );
      return starting;
    }
    default:
      return at("running", { percent });
  }
};
