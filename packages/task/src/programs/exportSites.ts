import { setTimeout } from "node:timers/promises";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { SitesExportContext, SitesExportResult } from "@openemr-ops/exports/context";
import { newExportId } from "@openemr-ops/exports/exportId";
import type { BulkCopier } from "@openemr-ops/exports/sites/bulk/bulkCopier";
import { documentKeys } from "@openemr-ops/exports/sites/documentKeys";
import {
  exportSites as exportNow,
  planSitesExport,
  type SitesExportPlan,
} from "@openemr-ops/exports/sites/exportSites";
import { keepHeapSmall } from "@openemr-ops/exports/sites/smallHeap";
import type { Place, Program } from "../program.ts";
import { realSites } from "../realPlaces.ts";
import { exportContext, exportedDatabase, exportsOf } from "./exportContext.ts";

/** What an export would upload and remove. */
export interface SitesPlan extends SitesExportPlan {
  readonly dryRun: true;
}

/** The role with which DataSync reads a list of files; the deployment makes it. */
const listRole = "OPENEMR_OPS_DATASYNC_ROLE";

/** @throws {InvalidInputError} no workflow runs this, so that nobody made the role */
const openBulkCopier = async (place: Place): Promise<BulkCopier | undefined> => {
  const { exports, sites } = exportsOf(place);
  const { engine, dataSyncTask: task } = exports.sites;
  if (engine !== "datasync" || task === undefined || exports.destination.kind !== "s3") return undefined;
  const role = place.environment[listRole];
  if (role === undefined || sites.fileSystemId === undefined)
    throw new InvalidInputError([
      {
        path: "exports.sites.engine",
        message: 'the workflow ExportSites alone runs engine "datasync": run exportSites; expected "direct"',
      },
    ]);
  const { dataSyncCopier } = await import("@openemr-ops/aws/dataSync");
  const { bucket, prefix } = exports.destination;
  const source = { fileSystemId: sites.fileSystemId, accessPointId: sites.accessPointId };
  return dataSyncCopier({
    ...{ task, listRole: role, source, bucket, prefix, now: place.now },
    wait: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
  });
};

const openExport = async (place: Place): Promise<SitesExportContext> => {
  const bulkCopier = await openBulkCopier(place);
  const sitesPath = await realSites(place.config, place.installation);
  const { deletions, documents } = exportsOf(place).exports.sites;
  const keys = { documentKeys: () => documentKeys(sitesPath, exportedDatabase(place)) };
  return {
    ...(await exportContext(place)),
    ...{ sitesPath, deletions, bulkCopier },
    ...(documents === "decrypted" ? keys : {}),
  };
};

const figuresOf = (plan: SitesExportPlan) => {
  const { files, bytes, uploaded, unchanged, excluded, deleted, unstable, skipped, decrypted } = plan;
  return {
    ...{ files, bytes, uploaded, unchanged, excluded, deleted, unstable, skipped },
    ...(decrypted === undefined ? {} : { decrypted }),
  };
};

/** For the message and the list, where it was so configured. */
const documentsOf = ({ decrypted }: SitesExportPlan): Readonly<Record<string, string>> =>
  decrypted === undefined ? {} : { documents: "documents leave decrypted" };

export const sitesPlanReport = (plan: SitesPlan): TaskReport => ({
  figures: figuresOf(plan),
  result: documentsOf(plan),
});

export const sitesExportReport = (result: SitesExportResult): TaskReport => ({
  figures: { ...figuresOf(result), seconds: result.seconds },
  result: { exportId: result.exportId, location: result.location, ...documentsOf(result) },
});

export const exportSites: Program<"exportSites", SitesPlan, SitesExportResult> = {
  plan: async (place) => {
    const result: SitesPlan = { dryRun: true, ...(await planSitesExport(await openExport(place))) };
    return { result, report: sitesPlanReport(result) };
  },
  run: async (place) => {
    keepHeapSmall();
    const result = await exportNow(await openExport(place), { exportId: newExportId(place.now()) });
    return { result, report: sitesExportReport(result) };
  },
};
