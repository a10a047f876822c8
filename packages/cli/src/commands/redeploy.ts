import { usualAndDryRun } from "../commonOptions.ts";
import { nothing } from "../shown.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const redeploy = async (context: CommandContext<"rotations">): Promise<void> => {
  announce(context, "Redeploy of", []);
  const job = { ...jobOf(context, "redeploy") };
  const result = await carryOut(context, context.operations.programs.redeploy, job);
  context.output.result(result, () => nothing);
};

export const command = sectionCommand("rotations", {
  name: "redeploy",
  summary: "Start OpenEMR anew, and wait until it works.",
  common: usualAndDryRun,
  options: {},
  examples: ["redeploy --dry-run", "redeploy"],
  run: redeploy,
});
