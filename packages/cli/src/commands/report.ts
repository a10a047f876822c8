import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { selectInstallation } from "@openemr-ops/core/config/select";
import type { Installation } from "@openemr-ops/core/config/settings";
import { DestinationMissingError, toOpsError } from "@openemr-ops/core/errors";
import { formatMoment } from "@openemr-ops/core/format";
import type { JobLedger } from "@openemr-ops/core/jobs";
import { completeDumps } from "@openemr-ops/report/completeDumps";
import { describeInstallation } from "@openemr-ops/report/describeInstallation";
import { renderReport } from "@openemr-ops/report/renderReport";
import type { InstallationReport, Report } from "@openemr-ops/report/report";
import type { Operations } from "@openemr-ops/task/operations";
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

const dayMilliseconds = 24 * 3600 * 1000;
/** Stores that are asked at once: each may start a restic. */
const width = 3;

const sourceOfRecords = async ({
  common: { stage },
  environment,
  openControlPlane,
}: CommandSurroundings): Promise<{ readonly records: string; readonly ledger?: Pick<JobLedger, "list"> }> => {
  if (stage === undefined) return { records: "this machine's" };
  const name = stageOf(stage, environment);
  return { records: `the control plane's, stage ${name}`, ledger: (await openControlPlane(name)).ledger };
};

/** Reads and describes the installations, a few at a time, in the order of the configuration. */
const gather = async (
  surroundings: CommandSurroundings,
  operations: Operations,
  config: LoadedConfig,
  installations: readonly Installation[],
  days: number,
): Promise<Report> => {
  const { records, ledger } = await sourceOfRecords(surroundings);
  const now = surroundings.now();
  const from = new Date(now.getTime() - days * dayMilliseconds);
  const described: InstallationReport[] = [];
  for (let start = 0; start < installations.length; start += width) {
    surroundings.signal.throwIfAborted();
    const some = installations.slice(start, start + width).map(async (installation) => {
      const survey = await operations.survey(placeOf({ ...surroundings, config, installation, operations }), ledger);
      return describeInstallation(survey, { now, from });
    });
    described.push(...(await Promise.all(some)));
  }
  return {
    version: 1,
    generatedAt: now.toISOString(),
    since: from.toISOString(),
    records,
    complete: described.every(({ complete }) => complete),
    installations: described,
  };
};

/** Whether a page may go beside the dumps: where none is, the disk may not be mounted. */
const hasDumps = ({ stores: [first] }: InstallationReport): boolean =>
  first !== undefined &&
  first.unread === undefined &&
  first.dumps.some(({ state }) => state !== "failed" && state !== "expired");

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
      if (!hasDumps(one)) throw new DestinationMissingError("no dump is there, or it could not be read");
      const page = renderReport({ ...document, complete: one.complete, installations: [one] });
      const where = await operations.storeReport(placeOf({ ...surroundings, config, installation, operations }), page);
      output.plan("Stored", [[one.installation, where]]);
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
  summary: "Report on all installations: dumps, drills, retention, credentials, exports, and what needs attention.",
  common: { ...usual, stage: stageOption },
  options: {
    out: optional("--out <file>", "write it as one page of HTML, which needs no network", aPath),
    toDestination: flag("--to-destination", "store a page on each installation beside its dumps, below reports/"),
    days: withDefault("--days <count>", "how far back plots, failures and drills go", someDays, 90),
  },
  examples: [
    "report --out report.html",
    "report --json",
    "report --to-destination",
    "report --out report.html --days 365 --stage production",
  ],
  run: report,
});
