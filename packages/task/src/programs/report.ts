import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import { assembleReport, recordsFrom, spanOf } from "@openemr-ops/report/assembleReport";
import { describeInstallation } from "@openemr-ops/report/describeInstallation";
import type { Report } from "@openemr-ops/report/report";
import type { Place, Program } from "../program.ts";
import { reportPlace, type StoredReport, storeReport } from "../storeReport.ts";
import { surveyInstallation } from "../surveyInstallation.ts";
import { listExportsOf } from "./listExportsOf.ts";

/** How many open warnings the page shows, by their severity, and how many dumps are complete at the first destination. */
const figuresOf = ({ installations }: Report) => {
  const warnings = installations.flatMap(({ openWarnings }) => openWarnings);
  const failures = warnings.filter(({ severity }) => severity === "failed").length;
  const dumps = installations.flatMap(({ stores }) => stores[0]?.dumps ?? []);
  return {
    dumps: dumps.filter(({ state }) => state === "complete" || state === "verified").length,
    failures,
    warnings: warnings.length - failures,
  };
};

/** A report on the place's installation alone, at this moment. */
const reportOn = async (place: Place): Promise<Report> => {
  const { history, environment, now } = place;
  const survey = await surveyInstallation(place, listExportsOf);
  const span = spanOf(now());
  const records = recordsFrom(history ? environment.OPENEMR_OPS_STAGE : undefined);
  return assembleReport([describeInstallation(survey, span)], { ...span, records });
};

export interface ReportPlan {
  readonly dryRun: true;
  /** Key below the first destination. */
  readonly page: string;
  readonly figures: ReturnType<typeof figuresOf>;
}

export interface ReportResult extends StoredReport {
  readonly figures: ReturnType<typeof figuresOf>;
}

/** What could not be read is a failure on the page; the job fails only where the page cannot be stored. */
export const report: Program<"report", ReportPlan, ReportResult> = {
  plan: async (place) => {
    const figures = figuresOf(await reportOn(place));
    const { key: page } = reportPlace(place);
    return { result: { dryRun: true, page, figures }, report: { figures, result: { page } } };
  },
  run: async (place) => {
    const started = place.now().getTime();
    const document = await reportOn(place);
    const stored = await storeReport(place, document);
    const figures = figuresOf(document);
    const { bytes, ...identifiers } = stored;
    const seconds = (place.now().getTime() - started) / 1000;
    const end: TaskReport = { figures: { ...figures, bytes, seconds }, result: identifiers };
    return { result: { ...stored, figures }, report: end };
  },
};
