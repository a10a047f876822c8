import type { InstallationReport, Report } from "./report.ts";

/** How far back plots, failures and drills go where nobody says another number. */
export const usualDays = 90;

const dayMilliseconds = 24 * 3600 * 1000;

/** The span of a report that is made now. */
export const spanOf = (now: Date, days: number = usualDays): { readonly now: Date; readonly from: Date } => ({
  now,
  from: new Date(now.getTime() - days * dayMilliseconds),
});

/** Where job records were read, as a page shows it. `stage`: of the control plane; not set, those of a state directory. */
export const recordsFrom = (stage: string | undefined): string =>
  stage === undefined ? "this machine's" : `the control plane's, stage ${stage}`;

/** One document on several installations, or on one. */
export const assembleReport = (
  installations: readonly InstallationReport[],
  { now, from, records }: { readonly now: Date; readonly from: Date; readonly records: string },
): Report => ({
  version: 1,
  generatedAt: now.toISOString(),
  since: from.toISOString(),
  records,
  complete: installations.every(({ complete }) => complete),
  installations,
});
