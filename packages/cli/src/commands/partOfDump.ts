import type { InputIssue } from "@openemr-ops/core/errors";
import { formatCount, formatMoment } from "@openemr-ops/core/format";
import type { PartPlan, PartVerdict } from "@openemr-ops/dumps/steps/restorePart";
import { statusOf } from "@openemr-ops/dumps/steps/verdict";
import { type Asked, optional } from "../options.ts";
import { aText, severalTexts } from "../optionValues.ts";
import { renderFigures, renderWarnings } from "../output.ts";
import { nothing, shown } from "../shown.ts";
import { renderFacts, renderTable } from "../table.ts";
import { announce, type CommandContext, carryOut, jobOf, storeFacts } from "./context.ts";
import { describeDropped, describeNotRestored } from "./verdict.ts";

/** What `restore` takes to restore a part of a dump. */
export const partOptions = {
  tables: optional("--table <name>", "restore this table alone, into --into-database; repeatable", severalTexts),
  files: optional(
    "--files <pattern>",
    "restore these files alone, into --into-sites: a directory below the sites directory, or * and ** as in browse; repeatable",
    severalTexts,
  ),
  patient: optional(
    "--patient <pid>",
    "restore the rows that contain this patient's number, and the files of the patient's documents",
    aText,
  ),
  site: optional("--site <name>", "with --patient, if the dump has several sites: whose documents", aText),
};

type PartArguments = Asked<typeof partOptions>;
interface Targets {
  readonly dump: string;
  readonly copy?: number;
  readonly intoDatabase?: string;
  readonly intoSites?: string;
}

export const isPart = ({ tables, files, patient }: Partial<PartArguments>): boolean =>
  (tables ?? files ?? patient) !== undefined;

/** Whether and where to restore is checked with the rest of the input, in the domain. */
export const partProblems = (wholeOnly: Readonly<Record<string, unknown>>): readonly InputIssue[] =>
  Object.entries(wholeOnly).flatMap(([path, value]) =>
    value
      ? [{ path, message: "is for a whole restore; leave it out, or leave out --table, --files and --patient" }]
      : [],
  );

const show = ({ output }: CommandContext, report: PartPlan | PartVerdict): void =>
  output.result(report, (style) => {
    const { dumpId, takenAt, tables, rows, files, filesBytes, target } = report;
    const of = `a part of dump ${dumpId} of ${formatMoment(takenAt)}`;
    const figures = renderFigures({ tables: tables.length, rows, files, filesBytes });
    const list =
      tables.length > 0
        ? renderTable(
            ["table", ">rows"],
            tables.map(({ table, rows: count }) => [table, formatCount(count)]),
          )
        : nothing;
    if ("dryRun" in report) return shown`Restore would restore ${of}.\n${figures}${list}`;
    const { verdict, seconds, dropped, notRestored, remarks } = report;
    return shown`${[
      shown`Restore of ${of}: ${style(verdict === "passed" ? "green" : "red", verdict)}\n`,
      renderFacts([
        ...(target.database === undefined ? [] : [["schema", target.database] as const]),
        ...(target.sites === undefined ? [] : [["directory", target.sites] as const]),
      ]),
      figures,
      renderFigures({ restoreSeconds: seconds.restore, compareSeconds: seconds.compare }),
      list,
      renderWarnings(dropped.map(describeDropped), style),
      renderWarnings(notRestored.map(describeNotRestored), style),
      shown`Next:\n${remarks.map((line) => shown`  ${line}\n`)}`,
    ]}`;
  });

/** Restores a part of a dump, or shows what it would restore. @returns the exit status */
export const restorePartOf = async (context: CommandContext, options: PartArguments & Targets): Promise<number> => {
  const { dump, copy, intoDatabase, intoSites, tables, files, patient, site } = options;
  announce(context, "Restore a part of a dump of", [
    ...storeFacts(context, copy),
    ["dump", dump],
    ...(intoDatabase === undefined ? [] : [["into schema", intoDatabase] as const]),
    ...(intoSites === undefined ? [] : [["into directory", intoSites] as const]),
  ]);
  const report = await carryOut(context, context.operations.restorePart, {
    ...jobOf(context, "restore"),
    inPlace: false,
    ...{ dump, copy, intoDatabase, intoSites, tables, files, patient, site },
  });
  show(context, report);
  return "dryRun" in report ? 0 : statusOf(report);
};
