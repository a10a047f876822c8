import { formatBytes, formatCount, formatMoment } from "@openemr-ops/core/format";
import type { BrowsedDump, BrowsedFile } from "@openemr-ops/dumps/steps/browseDump";
import { copyOption } from "../copyOption.ts";
import { type Asked, flag, optional, withDefault } from "../options.ts";
import { aDump, severalTexts } from "../optionValues.ts";
import { renderFigures } from "../output.ts";
import { type Shown, shown } from "../shown.ts";
import { renderFacts, renderTable } from "../table.ts";
import { type CommandContext, installationCommand, placeOf } from "./context.ts";

const browseOptions = {
  ...copyOption,
  dump: withDefault("--dump <id>", "latest, or a dump's identifier", aDump, "latest"),
  tables: flag("--tables", "list the tables alone"),
  files: optional(
    "--files <pattern>",
    "list these files, below the sites directory: a directory, or * for a part of a name and ** for any directories; repeatable",
    severalTexts,
  ),
};

const renderTables = ({ tables }: BrowsedDump): Shown =>
  renderTable(
    ["table", ">rows", ">size"],
    tables.map(({ table, rows, bytes }) => [table, formatCount(rows), formatBytes(bytes)]),
  );

const render = (dump: BrowsedDump): Shown => {
  const { dumpId, takenAt, sites, rows, databaseBytes, files, directories, filesBytes } = dump;
  return shown`Dump ${dumpId} of ${formatMoment(takenAt)}\n${renderFacts([["sites", sites.join(", ")]])}${renderFigures(
    {
      tables: dump.tables.length,
      rows,
      databaseBytes,
      files,
      directories,
      filesBytes,
    },
  )}\n${renderTables(dump)}\nFiles: browse --dump ${dumpId} --files ${`${sites[0] ?? "default"}/documents`}\n`;
};

const letters: Readonly<Record<BrowsedFile["kind"], string>> = { file: "-", directory: "d", link: "l", other: "?" };

const renderFile = ({ path, kind, bytes, modifiedAt, mode, uid, gid }: BrowsedFile): Shown =>
  shown`${letters[kind]}${mode} ${`${uid}:${gid}`.padStart(11)} ${formatBytes(bytes).padStart(10)} ${formatMoment(modifiedAt)} ${path}${kind === "directory" ? "/" : ""}\n`;

const listFiles = async (
  context: CommandContext,
  { dump, copy, files }: { readonly dump: string; readonly copy?: number; readonly files: readonly string[] },
): Promise<void> => {
  const unread = new AbortController();
  const place = placeOf({ ...context, signal: AbortSignal.any([context.signal, unread.signal]) });
  const list = context.output.list(renderFile);
  try {
    await context.operations.browseFiles(place, { dump, copy, files }, async (file) => {
      if (!(await list.add(file))) unread.abort();
    });
  } catch (error) {
    if (unread.signal.aborted) return; // nobody reads the rest
    throw error;
  }
  list.end();
};

const browse = async (context: CommandContext, options: Asked<typeof browseOptions>): Promise<void> => {
  const { dump, copy, files } = options;
  if (files) return listFiles(context, { dump, ...(copy === undefined ? {} : { copy }), files });
  const found = await context.operations.browseDump(placeOf(context), { dump, copy });
  if (options.tables) context.output.result(found.tables, () => renderTables(found));
  else context.output.result(found, () => render(found));
};

export const command = installationCommand({
  name: "browse",
  summary: "List what is in a dump: sites, tables, files. Restores nothing and needs no room.",
  options: browseOptions,
  problems: ({ tables, files }) =>
    tables && files ? [{ path: "--tables", message: "goes without --files: list one of them at a time" }] : [],
  examples: [
    "browse",
    "browse --dump 01K9ZV6T5W8QH3N2R4X7BCDEFG --tables --json",
    "browse --files 'default/documents/12/**'",
    "browse --files 'default/documents/*/*.pdf' --json",
  ],
  run: browse,
});
