import { formatDuration } from "@openemr-ops/core/format";
import { ofJob } from "../commonOptions.ts";
import { shown } from "../shown.ts";
import { renderFacts } from "../table.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const rotateMaster = async (context: CommandContext<"rotations">): Promise<void> => {
  const { database, rotations } = context.installation;
  const cluster = rotations.master?.cluster;
  announce(context, "Rotate the master user of the database of", [
    ["server", `${database.restore.host}:${database.restore.port}, TLS ${database.tls}`],
    ["changed", cluster === undefined ? "by the user itself, on the server" : `through RDS, cluster ${cluster}`],
  ]);
  const result = await carryOut(context, context.operations.programs.rotateMaster, jobOf(context, "rotateMaster"));
  context.output.result(result, (style) => {
    if ("dryRun" in result)
      return renderFacts(result.would.map((step, index) => [index === 0 ? `would for ${result.user}` : "", step]));
    const { user, seconds } = result;
    return shown`The new password of ${style("bold", user)} is ${style("green", "proven")} after ${formatDuration(seconds)}\n`;
  });
};

export const command = sectionCommand("rotations", {
  name: "rotate master",
  job: "rotateMaster",
  summary: "Give the administrator of the database a new password.",
  common: ofJob,
  options: {},
  examples: ["rotate master --dry-run", "rotate master"],
  run: rotateMaster,
});
