import { atCopy } from "@openemr-ops/core/config/atCopy";
import type { RetentionPolicy } from "@openemr-ops/core/config/settings";
import { formatMoment } from "@openemr-ops/core/format";
import type { RetentionEntry } from "@openemr-ops/dumps/steps/applyRetention";
import { ofJob } from "../commonOptions.ts";
import { type CopyOption, copyOption } from "../copyOption.ts";
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

const retention = async (context: CommandContext, options: CopyOption): Promise<void> => {
  announce(context, "Retention of", [
    ...storeFacts(context, options.copy),
    ["policy", describePolicy(atCopy(context.installation, options.copy).dumps.retention)],
  ]);
  await confirm(context, "Dumps that the policy no longer keeps are deleted for good. Continue?");
  const report = await carryOut(context, context.operations.programs.retention, {
    ...jobOf(context, "retention"),
    ...options,
  });
  context.output.result(report, (style) => {
    const expire = style("yellow", context.common.dryRun ? "would expire" : "expired");
    const rows = [...rowsOf(expire, report.expire), ...rowsOf("kept", report.keep)];
    const parts = report.orphans.length;
    const orphans = parts > 0 ? shown`${parts} parts of runs that never became a dump: ${expire}\n` : nothing;
    const until = report.spaceTakenUntil;
    const space = until
      ? shown`The store keeps what is deleted until ${formatMoment(until)} at the latest; its space is taken until then.\n`
      : nothing;
    return rows.length > 0
      ? shown`${renderTable(["", "dump", "taken at", "because"], rows)}${orphans}${space}`
      : shown`There are no dumps yet.\n${orphans}`;
  });
};

export const command = installationCommand({
  name: "retention",
  job: "retention",
  summary:
    "Delete the dumps that the retention policy does not keep. Never the newest complete or the newest verified one.",
  common: ofJob,
  options: copyOption,
  examples: ["retention --dry-run", "retention --yes", "retention --copy 1"],
  run: retention,
});
