import { copiesOfDump } from "@openemr-ops/task/runCopies";
import { shortCopies, shortDump } from "@openemr-ops/task/shortResults";
import { ofJob } from "../commonOptions.ts";
import { flag } from "../options.ts";
import { renderFigures, renderWarnings } from "../output.ts";
import { renderCopies } from "../renderCopies.ts";
import { nothing, shown } from "../shown.ts";
import {
  announce,
  type CommandContext,
  carryOut,
  installationCommand,
  jobOf,
  placeOf,
  sourceFacts,
  storeFacts,
} from "./context.ts";

interface DumpOptions {
  readonly forceNewRepository: boolean;
  readonly full: boolean;
}

/** @returns the exit status: not 0 when the dump is complete and a copy failed */
const dump = async (context: CommandContext, { full, ...options }: DumpOptions): Promise<number> => {
  announce(context, "Dump", [...sourceFacts(context), ...storeFacts(context)]);
  const report = await carryOut(context, context.operations.programs.dump, { ...jobOf(context, "dump"), ...options });
  const { result: copied, exitCode = 0 }: Awaited<ReturnType<typeof copiesOfDump>> =
    "dryRun" in report ? { result: {} } : await copiesOfDump(placeOf(context), context.operations);
  const short = { ...shortDump(report), ...(copied.copies ? { copies: shortCopies(copied.copies) } : {}) };
  context.output.result(full ? { ...report, ...copied } : short, (style) => {
    if ("dryRun" in report) {
      const { tables, views, sites, server, warnings } = report;
      const title = `A dump would hold ${tables} tables and ${views} views of ${server}, and sites ${sites.join(", ")}.`;
      return shown`${title}\n${renderWarnings(warnings, style)}`;
    }
    const title = shown`Dump ${style("bold", report.dumpId)} is ${style("green", "complete")}.`;
    const copies = copied.copies ? renderCopies(copied.copies, style) : nothing;
    return shown`${title}\n${renderFigures(report.figures)}${renderWarnings(report.manifest.warnings, style)}${copies}`;
  });
  return exitCode;
};

export const command = installationCommand({
  name: "dump",
  job: "dump",
  summary:
    "Dump the database and the sites directory, prove that they fit together, and write the manifest; then copy it, where copies are configured.",
  common: ofJob,
  options: {
    forceNewRepository: flag(
      "--force-new-repository",
      "create a new repository although the one that held earlier dumps is missing",
    ),
    full: flag("--full", "with --json: all of the result, with the dump's manifest; without it, less than 4 KB"),
  },
  examples: ["dump", "dump --installation clinic-a --json", "dump --json --full"],
  run: dump,
});
