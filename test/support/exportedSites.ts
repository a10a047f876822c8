import { createHash } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";
import type { SitesExportContext } from "@openemr-ops/exports/context";
import { inventoryRows } from "@openemr-ops/exports/sites/inventory/parts";
import type { InventoryRow } from "@openemr-ops/exports/sites/inventory/row";
import { type incompleteKey, type SitesSeal, successKey } from "@openemr-ops/exports/sites/seal";
import { readAll, sha256 } from "./bytes.ts";

export const aSitesContext = (
  sitesPath: string,
  destination: Destination,
  changes: Partial<SitesExportContext> = {},
): SitesExportContext => ({
  installation: "clinic-a",
  sitesPath,
  destination,
  deletions: "record",
  now: () => new Date(),
  signal: new AbortController().signal,
  progress: () => undefined,
  warn: () => undefined,
  ...changes,
});

const textOf = async (destination: Destination, key: string): Promise<string | undefined> => {
  const stream = await destination.get(key);
  return stream && (await readAll(stream)).toString("utf8");
};

export const sealOf = async (destination: Destination, key = successKey): Promise<SitesSeal | undefined> => {
  const text = await textOf(destination, key);
  return text === undefined ? undefined : (JSON.parse(text) as SitesSeal);
};

/** The inventory that a reader may trust, by path; or that of an incomplete run. */
export const inventoryOf = async (
  destination: Destination,
  key: typeof successKey | typeof incompleteKey = successKey,
): Promise<ReadonlyMap<string, InventoryRow>> => {
  const rows = new Map<string, InventoryRow>();
  const seal = await sealOf(destination, key);
  for await (const row of inventoryRows(destination, seal?.inventory ?? [])) rows.set(row.path, row);
  return rows;
};

/** The exported files, by key below `sites/`. */
export const exportedFiles = async (destination: Destination): Promise<ReadonlyMap<string, Buffer>> => {
  const files = new Map<string, Buffer>();
  for await (const { key } of destination.list("sites/")) {
    if (key.startsWith("sites/_")) continue;
    const stream = await destination.get(key);
    if (stream) files.set(key.slice("sites/".length), await readAll(stream));
  }
  return files;
};

/** What contradicts a reader who trusts `_SUCCESS`: rows without their bytes. Empty when there is none yet. */
export const brokenPromises = async (
  destination: Destination,
  isWhole: (path: string, digest: string) => boolean = () => false,
): Promise<readonly string[]> => {
  const broken: string[] = [];
  const files = await exportedFiles(destination);
  for (const [path, row] of await inventoryOf(destination)) {
    if (row.state !== "present") continue;
    const found = files.get(Buffer.from(row.place, "latin1").toString("utf8"));
    const digest = found && sha256(found);
    if (digest === undefined) broken.push(`${path} is absent`);
    else if (digest !== row.sha256 && !isWhole(path, digest)) broken.push(`${path} differs`);
  }
  return broken;
};

export const digestOf = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
