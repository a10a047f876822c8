import type { SourceDescription } from "@openemr-ops/database/describeSource";
import type { DumpContext } from "../context.ts";
import type { SourceWarning } from "../manifest.ts";

/** What to do about a server that logs what a drill sends it. */
export const logsAdvice = (logs: readonly string[]): string =>
  `the ${logs.join(" and the ")} of the server writes every statement of a drill, with patients' rows: set dumps.drill.database to "own"`;

/** Only of the server on which drills load: a dump itself sends no row. */
export const logWarnings = (
  { drillDatabase, database }: Pick<DumpContext, "drillDatabase" | "database">,
  { statementLogs }: SourceDescription,
): readonly SourceWarning[] => {
  const drillsHere =
    drillDatabase !== "own" && drillDatabase.host === database.host && drillDatabase.port === database.port;
  return drillsHere && statementLogs.length > 0
    ? [{ code: "statements-logged", message: logsAdvice(statementLogs) }]
    : [];
};
