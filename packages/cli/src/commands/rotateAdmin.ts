import { usualAndDryRun } from "../commonOptions.ts";
import { nothing } from "../shown.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const rotateAdmin = async (context: CommandContext<"rotations">): Promise<void> => {
  announce(context, "Rotate admin of", []);
  const job = { ...jobOf(context, "rotateAdmin") };
  const result = await carryOut(context, context.operations.programs.rotateAdmin, job);
  context.output.result(result, () => nothing);
};

export const command = sectionCommand("rotations", {
  name: "rotate admin",
  summary: "Give an administrator of OpenEMR a new password.",
  common: usualAndDryRun,
  options: {},
  examples: ["rotate admin --dry-run", "rotate admin"],
  run: rotateAdmin,
});
