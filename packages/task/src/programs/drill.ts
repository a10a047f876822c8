import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { assertRoom } from "@openemr-ops/dumps/steps/drillRoom";
import { assertDrillServer } from "@openemr-ops/dumps/steps/drillServer";
import { chooseDump } from "@openemr-ops/dumps/steps/listDumps";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { Program } from "../program.ts";
import { dumpContext } from "./dumpContext.ts";
import { restorePlanReport, verdictReport } from "./verdictReport.ts";

/** What a drill would restore; nothing was written. */
export interface DrillPlan {
  readonly dryRun: true;
  readonly dumpId: string;
  readonly takenAt: string;
  readonly tables: number;
  readonly rows: number;
  readonly databaseBytes: number;
  readonly files: number;
  readonly filesBytes: number;
}

export const drill: Program<"drill", DrillPlan, Verdict> = {
  plan: async (place, { dump, copy }) => {
    const context = await dumpContext(place, copy);
    await assertDrillServer(context);
    const manifest = await chooseDump(context, dump);
    await assertRoom(context, manifest);
    const { dumpId, takenAt, database, sites } = manifest;
    const result: DrillPlan = {
      dryRun: true,
      dumpId,
      takenAt,
      tables: database.tables.length,
      rows: database.rows,
      databaseBytes: database.byteLength,
      files: sites.files,
      filesBytes: sites.byteLength,
    };
    return { result, report: restorePlanReport(result) };
  },
  run: async (place, { dump, copy }) => {
    const result = await drillDump(await dumpContext(place, copy), dump);
    return { result, report: verdictReport(result) };
  },
};
