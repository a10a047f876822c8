import type { RetentionPolicy } from "@openemr-ops/core/config/settings";
import { formatMoment } from "@openemr-ops/core/format";
import type { RetentionEntry } from "@openemr-ops/dumps/steps/applyRetention";
import { usualAndDryRun } from "../commonOptions.ts";
import { nothing, type Shown, shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { announce, type CommandContext, carryOut, confirm, installationCommand, jobOf, storeFacts } from "./context.ts";

const describePolicy = (policy: RetentionPolicy): string =>
  Object.entries(policy)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

const rowsOf = (action: string | Shown, decisions: readonly RetentionEntry[]) =>
  decisions.map(({ dumpId, takenAt, reasons }) => [action, dumpId, formatMoment(takenAt), reasons.join("; ")]);

const retention = async (context: CommandContext): Promise<void> => {
  announce(context, "Retention of", [
    ...storeFacts(context),
    ["policy", describePolicy(context.installation.dumps.retention)],
  ]);
  await confirm(context, "Dumps that the policy no longer keeps are deleted for good. Go on?");
  const report = await carryOut(context, context.operations.programs.retention, jobOf(context, "retention"));
  context.output.result(report, (style) => {
    const expire = style("yellow", context.common.dryRun ? "would expire" : "expired");
    const rows = [...rowsOf(expire, report.expire), ...rowsOf("kept", report.keep)];
    const parts = report.orphans.length;
    const orphans = parts > 0 ? shown`${parts} parts of runs that never became a dump: ${expire}\n` : nothing;
    return rows.length > 0
      ? shown`${renderTable(["", "dump", "taken at", "because"], rows)}${orphans}`
      : shown`There are no dumps yet.\n${orphans}`;
  });
};

export const command = installationCommand({
  name: "retention",
  summary:
    "Delete the dumps that the retention policy does not keep. Never the newest complete or the newest verified one.",
  common: usualAndDryRun,
  options: {},
  examples: ["retention --dry-run", "retention --yes"],
  run: retention,
});
