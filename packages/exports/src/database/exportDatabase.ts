import { ToolMissingError } from "@openemr-ops/core/errors";
import type { DatabaseExportContext, DatabaseExportResult, SkippedTable } from "../context.ts";
import type { ExportedTablePlan } from "../profiles/profile.ts";

export interface DatabaseExportRequest {
  readonly exportId: string;
  /** Not set: all that the profile has. */
  readonly tables?: readonly string[] | undefined;
}

export interface DatabaseExportPlan {
  readonly tables: readonly (ExportedTablePlan & { readonly estimatedRows: number })[];
  readonly skipped: readonly SkippedTable[];
}

const absent = (): never => {
  throw new ToolMissingError("this release exports no database yet");
};

export const planDatabaseExport = async (
  _context: DatabaseExportContext,
  _request: Omit<DatabaseExportRequest, "exportId">,
): Promise<DatabaseExportPlan> => absent();

export const exportDatabase = async (
  _context: DatabaseExportContext,
  _request: DatabaseExportRequest,
): Promise<DatabaseExportResult> => absent();
