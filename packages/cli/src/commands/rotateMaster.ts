import { usualAndDryRun } from "../commonOptions.ts";
import { nothing } from "../shown.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const rotateMaster = async (context: CommandContext<"rotations">): Promise<void> => {
  announce(context, "Rotate master of", []);
  const job = { ...jobOf(context, "rotateMaster") };
  const result = await carryOut(context, context.operations.programs.rotateMaster, job);
  context.output.result(result, () => nothing);
};

export const command = sectionCommand("rotations", {
  name: "rotate master",
  summary: "Give the administrator of the database a new password.",
  common: usualAndDryRun,
  options: {},
  examples: ["rotate master --dry-run", "rotate master"],
  run: rotateMaster,
});
