import { usualAndDryRun } from "../commonOptions.ts";
import { nothing } from "../shown.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const rotateDatabase = async (context: CommandContext<"rotations">): Promise<void> => {
  announce(context, "Rotate database of", []);
  const job = { ...jobOf(context, "rotateDatabase"), phase: "all" as const };
  const result = await carryOut(context, context.operations.programs.rotateDatabase, job);
  context.output.result(result, () => nothing);
};

export const command = sectionCommand("rotations", {
  name: "rotate database",
  summary: "Give OpenEMR another database user with a new password, and retire the one before.",
  common: usualAndDryRun,
  options: {},
  examples: ["rotate database --dry-run", "rotate database"],
  run: rotateDatabase,
});
