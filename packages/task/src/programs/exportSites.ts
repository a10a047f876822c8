import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { SitesExportContext, SitesExportResult } from "@openemr-ops/exports/context";
import { newExportId } from "@openemr-ops/exports/exportId";
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

const openExport = async (place: Place): Promise<SitesExportContext> => {
  const sitesPath = await realSites(place.config, place.installation);
  const { deletions, documents } = exportsOf(place).exports.sites;
  const keys = { documentKeys: () => documentKeys(sitesPath, exportedDatabase(place)) };
  return { ...(await exportContext(place)), sitesPath, deletions, ...(documents === "decrypted" ? keys : {}) };
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
