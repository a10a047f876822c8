import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { ofJob } from "../commonOptions.ts";
import { optional } from "../options.ts";
import { refused } from "../optionValues.ts";
import { renderFigures } from "../output.ts";
import { shown } from "../shown.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const exportSites = async (context: CommandContext<"exports">): Promise<void> => {
  const { sites, exports } = context.installation;
  announce(context, "Export the sites of", [
    ["sites", sites.path],
    ["destination", `${formatDestination(exports.destination)}/sites`],
    ["files whose source is gone", exports.sites.deletions === "mirror" ? "removed too" : "kept, and noted"],
    ["encrypted documents", exports.sites.documents === "decrypted" ? "leave decrypted" : "stay encrypted"],
  ]);
  const result = await carryOut(context, context.operations.programs.exportSites, jobOf(context, "exportSites"));
  const { excludedBy, unstable, skipped, ...told } = result;
  context.output.result(told, (style) => {
    const { location, files, bytes, uploaded, unchanged, excluded, deleted, decrypted } = told;
    const figures = {
      ...{ files, bytes, uploaded, unchanged, excluded },
      ...Object.fromEntries(Object.entries(excludedBy).map(([rule, count]) => [`— ${rule}`, count])),
      ...{ deleted, unstable, skipped },
      ...(decrypted === undefined ? {} : { "documents that leave decrypted": decrypted }),
    };
    if (!("exportId" in told)) return shown`An export would write to ${location}.\n${renderFigures(figures)}`;
    const { exportId, seconds } = told;
    const title = shown`Export ${style("bold", exportId)} is ${style("green", "complete")}: ${location}\n`;
    return shown`${title}${renderFigures({ ...figures, seconds })}`;
  });
};

export const command = sectionCommand("exports", {
  name: "export sites",
  job: "exportSites",
  summary: "Export what changed of the sites directory for analytics, without secrets, and an inventory of all files.",
  common: ofJob,
  options: {
    since: optional(
      "--since <date>",
      "not for files: each run uploads only what changed since the one before",
      refused("is not for files: a second run already uploads only what changed; leave it away"),
    ),
  },
  examples: ["export sites --dry-run", "export sites --json"],
  run: exportSites,
});
