import { formatDuration } from "@openemr-ops/core/format";
import { ofJob } from "../commonOptions.ts";
import { shown } from "../shown.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const redeploy = async (context: CommandContext<"rotations">): Promise<void> => {
  const { health, platform, rotations } = context.installation;
  const how =
    platform.kind === "ecs"
      ? `service ${platform.service} of cluster ${platform.cluster}`
      : (rotations.redeploy?.command?.[0] ?? "nothing is configured");
  announce(context, "Start anew the OpenEMR of", [
    ["by", how],
    ["health", health?.url ?? "not configured"],
  ]);
  const result = await carryOut(context, context.operations.programs.redeploy, jobOf(context, "redeploy"));
  context.output.result(result, (style) =>
    "dryRun" in result
      ? shown`Would ${result.would}, and wait until OpenEMR is healthy.\n`
      : shown`OpenEMR was started anew, and is ${style("green", "healthy")} after ${formatDuration(result.seconds)}\n`,
  );
};

export const command = sectionCommand("rotations", {
  name: "redeploy",
  job: "redeploy",
  summary: "Start OpenEMR anew, and wait until it is healthy.",
  common: ofJob,
  options: {},
  examples: ["redeploy --dry-run", "redeploy"],
  run: redeploy,
});
