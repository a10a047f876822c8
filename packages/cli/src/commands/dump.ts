import { usualAndDryRun } from "../commonOptions.ts";
import { flag } from "../options.ts";
import { renderFigures, renderWarnings } from "../output.ts";
import { shown } from "../shown.ts";
import {
  announce,
  type CommandContext,
  carryOut,
  installationCommand,
  jobOf,
  sourceFacts,
  storeFacts,
} from "./context.ts";

const dump = async (context: CommandContext, options: { readonly forceNewRepository: boolean }): Promise<void> => {
  announce(context, "Dump", [...sourceFacts(context), ...storeFacts(context)]);
  const report = await carryOut(context, context.operations.programs.dump, { ...jobOf(context, "dump"), ...options });
  context.output.result(report, (style) => {
    if ("dryRun" in report) {
      const { tables, views, sites, server, warnings } = report;
      const title = `A dump would hold ${tables} tables and ${views} views of ${server}, and sites ${sites.join(", ")}.`;
      return shown`${title}\n${renderWarnings(warnings, style)}`;
    }
    const title = shown`Dump ${style("bold", report.dumpId)} is ${style("green", "complete")}.`;
    return shown`${title}\n${renderFigures(report.figures)}${renderWarnings(report.manifest.warnings, style)}`;
  });
};

export const command = installationCommand({
  name: "dump",
  summary: "Dump the database and the sites directory, prove that they fit together, and write the manifest.",
  common: usualAndDryRun,
  options: {
    forceNewRepository: flag(
      "--force-new-repository",
      "create a new repository although the one that held earlier dumps is missing",
    ),
  },
  examples: ["dump", "dump --installation clinic-a --json"],
  run: dump,
});
