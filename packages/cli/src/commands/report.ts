import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { selectInstallation } from "@openemr-ops/core/config/select";
import type { Installation } from "@openemr-ops/core/config/settings";
import { toOpsError } from "@openemr-ops/core/errors";
import { formatMoment } from "@openemr-ops/core/format";
import { assembleReport, recordsFrom, spanOf, usualDays } from "@openemr-ops/report/assembleReport";
import { completeDumps } from "@openemr-ops/report/completeDumps";
import { describeInstallation } from "@openemr-ops/report/describeInstallation";
import { renderReport } from "@openemr-ops/report/renderReport";
import type { InstallationReport, Report } from "@openemr-ops/report/report";
import type { Operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { stageOption, usual } from "../commonOptions.ts";
import { stageOf } from "../controlPlane.ts";
import { type CommandSurroundings, defineCommand } from "../defineCommand.ts";
import { flag, optional, withDefault } from "../options.ts";
import { aPath, someDays } from "../optionValues.ts";
import { readConfig } from "../readConfig.ts";
import { nothing, type Shown, shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import type { Stylist } from "../terminal.ts";
import { writeWhole } from "../writeWhole.ts";
import { placeOf } from "./context.ts";

interface ReportOptions {
  readonly out?: string;
  readonly toDestination: boolean;
  readonly days: number;
}

/** Stores that are asked at once: each may start a restic. */
const width = 3;

/** Where job records are read, as the report shows it. */
interface Records {
  readonly records: string;
  /** Not set: the state directory. */
  readonly history?: Place["history"];
}

const sourceOfRecords = async ({
  common: { stage },
  environment,
  openControlPlane,
}: CommandSurroundings): Promise<Records> => {
  if (stage === undefined) return { records: recordsFrom(undefined) };
  const name = stageOf(stage, environment);
  return { records: recordsFrom(name), history: (await openControlPlane(name)).ledger };
};

/** Reads and describes the installations, a few at a time, in the order of the configuration. */
const gather = async (
  surroundings: CommandSurroundings,
  operations: Operations,
  config: LoadedConfig,
  installations: readonly Installation[],
  days: number,
): Promise<Report> => {
  const { records, history } = await sourceOfRecords(surroundings);
  const span = spanOf(surroundings.now(), days);
  const described: InstallationReport[] = [];
  for (let start = 0; start < installations.length; start += width) {
    surroundings.signal.throwIfAborted();
    const some = installations.slice(start, start + width).map(async (installation) => {
      const place = placeOf({ ...surroundings, config, installation, operations });
      return describeInstallation(await operations.survey(history ? { ...place, history } : place), span);
    });
    described.push(...(await Promise.all(some)));
  }
  return assembleReport(described, { ...span, records });
};

/**
 * Stores beside the dumps of each installation a page on it alone.
 *
 * @returns whether all are stored; a warning says which is not
 */
const storeAll = async (
  surroundings: CommandSurroundings,
  operations: Operations,
  config: LoadedConfig,
  document: Report,
): Promise<boolean> => {
  const { output } = surroundings;
  let all = true;
  for (const one of document.installations) {
    const installation = selectInstallation(config, one.installation);
    try {
      const place = placeOf({ ...surroundings, config, installation, operations });
      const alone: Report = { ...document, complete: one.complete, installations: [one] };
      output.plan("Stored", [[one.installation, (await operations.storeReport(place, alone)).page]]);
    } catch (error) {
      surroundings.signal.throwIfAborted();
      const { name, message } = toOpsError(error);
      output.warn(`the report of ${one.installation} is not stored beside its dumps: ${name}: ${message}`);
      all = false;
    }
  }
  return all;
};

const newestOf = ({ stores }: InstallationReport, generatedAt: string): string => {
  const [first] = stores;
  if (!first) return "no dumps configured";
  if (first.unread) return "could not be read";
  const [newest] = completeDumps(first, new Date(generatedAt));
  return newest ? formatMoment(newest.at) : "none";
};

const summary = ({ installations, generatedAt }: Report, out: string | undefined, style: Stylist): Shown => {
  const rows = installations.map((one) => {
    const failures = one.openWarnings.filter(({ severity }) => severity === "failed").length;
    const state =
      failures > 0
        ? style("red", `${failures} failed`)
        : one.openWarnings.length > 0
          ? style("yellow", "warnings")
          : style("green", "in order");
    return [one.installation, newestOf(one, generatedAt), state, String(one.openWarnings.length)];
  });
  const details = installations.flatMap(({ installation, openWarnings }) =>
    openWarnings.map(({ severity, about, message }) => [
      installation,
      style(severity === "failed" ? "red" : "yellow", severity),
      about,
      message,
    ]),
  );
  const page = out === undefined ? shown`--out report.html writes it as a page.\n` : shown`Written to ${out}\n`;
  return shown`${[
    renderTable(["installation", "newest complete dump", "state", ">open warnings"], rows),
    details.length > 0 ? shown`\n${renderTable(["installation", "severity", "about", "message"], details)}` : nothing,
    shown`\n`,
    page,
  ]}`;
};

/**
 * @returns the exit status: 4 when something could not be read, which the report says and is written all the same, or
 *   when a page could not be stored
 */
const report = async (
  surroundings: CommandSurroundings,
  { out, days, toDestination }: ReportOptions,
): Promise<number> => {
  const config = await readConfig(surroundings);
  const { installation } = surroundings.common;
  const meant = installation === undefined ? config.installations : [selectInstallation(config, installation)];
  const operations = await surroundings.openOperations();
  const document = await gather(surroundings, operations, config, meant, days);
  if (out !== undefined) await writeWhole(out, renderReport(document));
  const stored = toDestination ? await storeAll(surroundings, operations, config, document) : true;
  surroundings.output.result(document, (style) => summary(document, out, style));
  return document.complete && stored ? 0 : 4;
};

export const command = defineCommand({
  name: "report",
  job: "report",
  summary: "Report on all installations: dumps, drills, retention, credentials, exports, and what needs attention.",
  common: { ...usual, stage: stageOption },
  options: {
    out: optional("--out <file>", "write it as one page of HTML, which needs no network", aPath),
    toDestination: flag("--to-destination", "store a page on each installation beside its dumps, below reports/"),
    days: withDefault("--days <count>", "how far back plots, failures and drills go", someDays, usualDays),
  },
  examples: [
    "report --out report.html",
    "report --json",
    "report --to-destination",
    "report --out report.html --days 365 --stage production",
  ],
  run: report,
});
