import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { formatBytes, formatCount } from "@openemr-ops/core/format";
import type { DatabaseExportResult, ExportedTable, SkippedTable } from "@openemr-ops/exports/context";
import type { DatabasePlan } from "@openemr-ops/task/programs/exportDatabase";
import { ofJob } from "../commonOptions.ts";
import { type Asked, optional } from "../options.ts";
import { aChoice, aDay, someTables } from "../optionValues.ts";
import { renderFigures } from "../output.ts";
import { nothing, type Shown, shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import type { Stylist } from "../terminal.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const options = {
  profile: optional(
    "--profile <name>",
    "full (all but secrets) or deidentified (default: the configuration's)",
    aChoice(["full", "deidentified"]),
  ),
  tables: optional("--tables <a,b>", "these tables alone, by their names with commas between", someTables),
  since: optional(
    "--since <date>",
    "of logs whose rows never change, only those since this day, such as 2026-01-31; all other tables whole",
    aDay,
  ),
  engine: optional(
    "--engine <name>",
    "direct: read by this program; aurora: made by AWS, by a workflow alone (default: the configuration's)",
    aChoice(["direct", "aurora"]),
  ),
};

/** `12.3×`: how many bytes of values became one byte. */
const compression = ({ rawBytes, bytes }: ExportedTable): string =>
  bytes === 0 ? "" : `${(rawBytes / bytes).toFixed(1)}×`;

const partialTables = ({ since, partial = [] }: DatabaseExportResult): Shown =>
  since === undefined
    ? nothing
    : shown`\nIn part, since ${since}:\n${renderTable(
        ["table", ">rows left out"],
        partial.map(({ table, leftOut }) => [table, formatCount(leftOut)]),
      )}`;

const skippedTable = (skipped: readonly SkippedTable[]): Shown =>
  skipped.length === 0
    ? nothing
    : shown`\nNot exported:\n${renderTable(
        ["table", "reason"],
        skipped.map(({ table, reason }) => [table, reason]),
      )}`;

const describe = ({ largest: all, skipped, ...result }: DatabaseExportResult, style: Stylist): Shown => {
  const largest = all.filter(({ rows }) => rows > 0);
  const { exportId, location, profile, tables, rows, bytes, seconds } = result;
  return shown`${[
    shown`Export ${style("bold", exportId)} is ${style("green", "complete")}: ${location} (profile ${profile})\n`,
    renderFigures({ tables, rows, bytes, seconds }),
    largest.length === 0
      ? nothing
      : shown`\n${renderTable(
          ["largest tables", ">rows", ">size", ">compression"],
          largest.map((table) => [table.table, formatCount(table.rows), formatBytes(table.bytes), compression(table)]),
        )}`,
    partialTables({ ...result, largest, skipped }),
    skippedTable(skipped),
  ]}`;
};

/** How many columns get each treatment: `kept 12, year 3, left out 4`; and since when rows leave, where it is not all of them. */
const treatments = ({ columns, dropped, since }: DatabasePlan["tables"][number]): string => {
  const counts = new Map<string, number>();
  for (const { treatment } of columns) counts.set(treatment, (counts.get(treatment) ?? 0) + 1);
  if (dropped.length > 0) counts.set("left out", dropped.length);
  const all = [...counts].map(([treatment, count]) => `${treatment} ${count}`);
  return [...(since === undefined ? [] : [`rows since ${since}`]), ...all].join(", ");
};

const describePlan = ({ tables, skipped, profile, location }: DatabasePlan): Shown =>
  shown`${[
    shown`An export would write ${tables.length} tables to ${location} (profile ${profile}).\n`,
    renderTable(
      ["table", ">rows, about", "columns"],
      tables.map((table) => [table.table, formatCount(table.estimatedRows), treatments(table)]),
    ),
    skippedTable(skipped),
  ]}`;

const exportDatabase = async (context: CommandContext<"exports">, asked: Asked<typeof options>): Promise<void> => {
  const { database, exports } = context.installation;
  const server = exports.database.reader ?? database;
  announce(context, "Export the database of", [
    ["database", `${database.name} on ${server.host}:${server.port} as ${database.user}, TLS ${database.tls}`],
    ["destination", `${formatDestination(exports.destination)}/database`],
    ["profile", asked.profile ?? exports.database.profile],
    ...(asked.since === undefined ? [] : [["logs", `rows since ${asked.since}`] as const]),
  ]);
  const request = { ...jobOf(context, "exportDatabase"), ...asked };
  const result = await carryOut(context, context.operations.programs.exportDatabase, request);
  if ("dryRun" in result) context.output.result(result, () => describePlan(result));
  else {
    const { largest: _, ...told } = result;
    context.output.result(told, (style) => describe(result, style));
  }
};

export const command = sectionCommand("exports", {
  name: "export database",
  job: "exportDatabase",
  summary: "Export the database's tables as Parquet files for analytics, without secrets.",
  common: ofJob,
  options,
  examples: [
    "export database --dry-run",
    "export database --profile deidentified --json",
    "export database --tables patient_data,form_encounter",
    "export database --since 2026-01-31",
  ],
  run: exportDatabase,
});
