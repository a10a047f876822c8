import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { SitesExportContext, SitesExportResult } from "@openemr-ops/exports/context";
import { newExportId } from "@openemr-ops/exports/exportId";
import {
  exportSites as exportNow,
  planSitesExport,
  type SitesExportPlan,
} from "@openemr-ops/exports/sites/exportSites";
import { keepHeapSmall } from "@openemr-ops/exports/sites/smallHeap";
import type { Place, Program } from "../program.ts";
import { realSites } from "../realPlaces.ts";
import { exportContext, exportsOf } from "./exportContext.ts";

/** What an export would upload and remove. */
export interface SitesPlan extends SitesExportPlan {
  readonly dryRun: true;
}

const openExport = async (place: Place): Promise<SitesExportContext> => ({
  ...(await exportContext(place)),
  sitesPath: await realSites(place.config, place.installation),
  deletions: exportsOf(place).exports.sites.deletions,
});

const figuresOf = ({ files, bytes, uploaded, unchanged, excluded, deleted }: SitesExportPlan) => ({
  files,
  bytes,
  uploaded,
  unchanged,
  excluded,
  deleted,
});

export const sitesPlanReport = (plan: SitesPlan): TaskReport => ({ figures: figuresOf(plan), result: {} });

export const sitesExportReport = (result: SitesExportResult): TaskReport => ({
  figures: { ...figuresOf(result), seconds: result.seconds },
  result: { exportId: result.exportId, location: result.location },
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
