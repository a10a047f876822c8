import { figureWords, formatBytes, formatCount, formatDuration, formatMoment } from "@openemr-ops/core/format";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import type { ListedDump } from "@openemr-ops/dumps/steps/listDumps";
import { shortWarnings } from "@openemr-ops/task/shortResults";
import { type CopyOption, copyOption } from "../copyOption.ts";
import { argument, flag } from "../options.ts";
import { aDump } from "../optionValues.ts";
import { renderWarnings } from "../output.ts";
import { shown } from "../shown.ts";
import { renderFacts, renderTable } from "../table.ts";
import { type CommandContext, type Fact, installationCommand, placeOf } from "./context.ts";

interface ShowOptions extends CopyOption {
  readonly dump: string;
  readonly full: boolean;
}

const mostTables = 10;

/** The tables with the most bytes first. */
const bySize = ({ database }: Manifest) =>
  database.tables
    .map(({ name, rows, byteLength: bytes }) => ({ name, rows, bytes }))
    .sort((one, other) => other.bytes - one.bytes);

const openemrOf = ({ openemr: { version } }: Manifest): string | null => {
  const parts = [version?.v_major, version?.v_minor, version?.v_patch];
  return parts.every((part) => part !== undefined && part !== null) ? parts.join(".") : null;
};

/** What most people look for; all the rest is in the manifest. */
const summaryOf = (listed: ListedDump, manifest: Manifest) => {
  const { database, sites, server, keyProof, tools, seconds } = manifest;
  const tables = bySize(manifest);
  return {
    ...listed,
    installation: manifest.installation,
    openemr: openemrOf(manifest),
    server: `${server.product} ${server.version}`,
    schema: database.name,
    sites: manifest.openemr.sites.slice(0, mostTables),
    tables: tables.length,
    rows: database.rows,
    files: sites.files,
    databaseBytes: database.byteLength,
    filesBytes: sites.byteLength,
    seconds,
    keyProof: keyProof.status,
    largestTables: tables.slice(0, mostTables),
    ...shortWarnings(manifest.warnings),
    tools,
  };
};

const factsOf = (listed: ListedDump, manifest: Manifest): readonly Fact[] => {
  const { verified, complete, problem } = listed;
  const { database, sites, tools, seconds, warnings } = manifest;
  const { openemr, server, keyProof, sites: names } = summaryOf(listed, manifest);
  return [
    ["taken at", formatMoment(listed.takenAt)],
    ["state", `${complete ? "complete" : "damaged"}${problem === undefined ? "" : `: ${problem}`}`],
    ["verified", verified ? `${verified.level} ${formatMoment(verified.at)}` : "not yet"],
    ["format", `${manifest.format}, ${manifest.purpose}`],
    ["OpenEMR", openemr ?? "unknown"],
    ["server", `${server}, schema ${database.name}`],
    ["sites", names.join(", ")],
    ["key-pair proof", keyProof],
    [
      "database",
      `${figureWords("tables", database.tables.length)}, ${figureWords("rows", database.rows)}, ${formatBytes(database.byteLength)}`,
    ],
    ["files", `${formatCount(sites.files)}, ${formatBytes(sites.byteLength)}`],
    ["took", formatDuration(seconds)],
    ["warnings", formatCount(warnings.length)],
    [
      "made with",
      Object.entries(tools)
        .map(([name, version]) => (version.startsWith(name) ? version : `${name} ${version}`))
        .join(", "),
    ],
  ];
};

const show = async (context: CommandContext, { full, ...options }: ShowOptions): Promise<void> => {
  const { listed, manifest } = await context.operations.showDump(placeOf(context), options);
  const value = full ? { ...listed, manifest } : summaryOf(listed, manifest);
  context.output.result(value, (style) => {
    const tables = full ? bySize(manifest) : bySize(manifest).slice(0, mostTables);
    const rows = tables.map(({ name, rows: count, bytes }) => [name, formatCount(count), formatBytes(bytes)]);
    return shown`${[
      shown`Dump ${style("bold", listed.dumpId)} of ${manifest.installation}\n`,
      renderFacts(factsOf(listed, manifest)),
      renderTable([full ? "table" : "largest tables", ">rows", ">size"], rows),
      renderWarnings(manifest.warnings, style),
    ]}`;
  });
};

export const command = installationCommand({
  name: "dumps show",
  summary: "Show one dump: when, sizes, the largest tables, warnings, checks that it passed.",
  options: {
    ...copyOption,
    dump: argument("dump", "latest, or a dump's identifier", aDump),
    full: flag("--full", "every table; with --json, the whole manifest"),
  },
  examples: ["dumps show latest", "dumps show 01K9ZV6T5W8QH3N2R4X7BCDEFG --json --full"],
  run: show,
});
