import { loadConnection } from "@openemr-ops/core/config/load";
import { formatMoment } from "@openemr-ops/core/format";
import type { RestoreArguments } from "../invocation.ts";
import { shown } from "../shown.ts";
import { announce, type CommandContext, confirm, type Fact, jobOf, sourceFacts, storeFacts } from "./context.ts";
import { showVerdict } from "./verdict.ts";

const targetFacts = (options: RestoreArguments, context: CommandContext): readonly Fact[] =>
  options.inPlace
    ? sourceFacts(context).map(([label, value]) => [`${label}, replaced`, value])
    : [
        ["into schema", options.intoDatabase ?? ""],
        ["into directory", options.intoSites ?? ""],
      ];

/** Cloud SQL loads a dump by itself; only the command for that is found here. */
const planCloudSql = async (context: CommandContext, { dump, intoDatabase = "" }: RestoreArguments): Promise<void> => {
  const plan = await context.operations.planCloudSql(jobOf(context), { dump, intoDatabase });
  const words = `To load dump ${plan.dumpId} of ${formatMoment(plan.takenAt)}, type (INSTANCE is the name of yours):`;
  context.output.result(plan, (style) => shown`${words}\n  ${style("bold", plan.command)}\n`);
};

export const restore = async (context: CommandContext, options: RestoreArguments): Promise<void> => {
  const { connect, platform, ...rest } = options;
  if (platform === "cloud-sql") return planCloudSql(context, options);
  const { environment } = context;
  const connection = connect === undefined ? undefined : await loadConnection(connect, { environment });
  announce(context, "Restore", [...storeFacts(context), ["dump", options.dump], ...targetFacts(options, context)]);
  if (options.inPlace) {
    await confirm(context, "This replaces the live database and sites; a safety dump is taken first. Go on?");
  }
  const verdict = await context.operations.restoreDump(jobOf(context), {
    ...rest,
    ...(platform ? { platform } : {}),
    ...(connection ? { connection } : {}),
  });
  showVerdict(context, "Restore", verdict);
};
