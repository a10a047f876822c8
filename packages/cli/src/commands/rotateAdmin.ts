import { formatDuration } from "@openemr-ops/core/format";
import { ofJob } from "../commonOptions.ts";
import { renderWarnings } from "../output.ts";
import { shown } from "../shown.ts";
import { renderFacts } from "../table.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const words = {
  storePassword: "store a new password",
  changePassword: "change it in OpenEMR",
  makePasswordCurrent: "make it the current one",
} as const;

const rotateAdmin = async (context: CommandContext<"rotations">): Promise<void> => {
  const { rotations, sites } = context.installation;
  announce(context, "Rotate the administrator's password of", [
    ["user", rotations.admin?.user ?? "not configured"],
    ["sites", sites.path],
  ]);
  const result = await carryOut(context, context.operations.programs.rotateAdmin, jobOf(context, "rotateAdmin"));
  context.output.result(result, (style) => {
    const { user, site } = result;
    if (!("dryRun" in result))
      return shown`The new password of ${style("bold", user)} (site ${site}) is in its secret, ${style("green", "in use")} after ${formatDuration(result.seconds)}\n`;
    const steps = result.steps.map((step, index) => [index === 0 ? `would for ${user}` : "", words[step]] as const);
    return shown`${[
      renderFacts(steps),
      renderWarnings(
        result.warnings.map((message) => ({ message })),
        style,
      ),
    ]}`;
  });
};

export const command = sectionCommand("rotations", {
  name: "rotate admin",
  job: "rotateAdmin",
  summary: "Give an administrator of OpenEMR a new password.",
  common: ofJob,
  options: {},
  examples: ["rotate admin --dry-run", "rotate admin"],
  run: rotateAdmin,
});
