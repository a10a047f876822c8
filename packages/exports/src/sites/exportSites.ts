import { ToolMissingError } from "@openemr-ops/core/errors";
import type { SitesExportContext, SitesExportResult } from "../context.ts";

export type SitesExportPlan = Omit<SitesExportResult, "exportId" | "seconds">;

const absent = (): never => {
  throw new ToolMissingError("this release exports no files yet");
};

export const planSitesExport = async (_context: SitesExportContext): Promise<SitesExportPlan> => absent();

export const exportSites = async (
  _context: SitesExportContext,
  _request: { readonly exportId: string },
): Promise<SitesExportResult> => absent();
