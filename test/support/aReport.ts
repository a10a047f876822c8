import { describeInstallation } from "@openemr-ops/report/describeInstallation";
import type { Report } from "@openemr-ops/report/report";
import type { Survey } from "@openemr-ops/report/survey";
import { surveyedAt } from "./aSurvey.ts";

/** The document of a report on these surveys. */
export const aReport = (surveys: readonly Survey[], days = 90): Report => {
  const from = new Date(surveyedAt.getTime() - days * 24 * 3600 * 1000);
  const installations = surveys.map((survey) => describeInstallation(survey, { now: surveyedAt, from }));
  return {
    version: 1,
    generatedAt: surveyedAt.toISOString(),
    since: from.toISOString(),
    records: "this machine's",
    complete: installations.every(({ complete }) => complete),
    installations,
  };
};
