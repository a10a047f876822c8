import { formatDuration } from "@openemr-ops/core/format";
import { type VerificationLevel, verificationLevels } from "@openemr-ops/dumps/verification";
import { usualAndDryRun } from "../commonOptions.ts";
import { type CopyOption, copyOption } from "../copyOption.ts";
import { optional, withDefault } from "../options.ts";
import { aChoice, aShare } from "../optionValues.ts";
import { shown } from "../shown.ts";
import { announce, type CommandContext, carryOut, installationCommand, jobOf, storeFacts } from "./context.ts";

interface CheckOptions extends CopyOption {
  readonly level: VerificationLevel;
  readonly share?: string;
}

const check = async (context: CommandContext, { level, share, copy }: CheckOptions): Promise<void> => {
  const depth = share === undefined ? level : `${level}, part ${share}`;
  announce(context, "Check", [...storeFacts(context, copy), ["level", depth]]);
  const request = {
    ...jobOf(context, "check"),
    level,
    ...(share === undefined ? {} : { share }),
    ...(copy === undefined ? {} : { copy }),
  };
  const result = await carryOut(context, context.operations.programs.check, request);
  context.output.result(result, (style) => {
    const dumps = result.dumps.length === 1 ? "1 dump" : `${result.dumps.length} dumps`;
    if ("dryRun" in result) return shown`A check (${depth}) would look at ${dumps}.\n`;
    return shown`${dumps} checked (${depth}): ${style("green", "passed")} in ${formatDuration(result.seconds)}\n`;
  });
};

export const command = installationCommand({
  name: "check",
  job: "check",
  summary: "Check dumps at the destination, or the destination itself.",
  common: usualAndDryRun,
  options: {
    ...copyOption,
    level: withDefault(
      "--level <level>",
      `how deep: ${verificationLevels.join(", ")}`,
      aChoice(verificationLevels),
      "objects",
    ),
    share: optional("--share <n/m>", "with read-data: only the n-th of m parts of the repository", aShare),
  },
  problems: ({ level, share }) =>
    share !== undefined && level !== "read-data" ? [{ path: "--share", message: "goes with --level read-data" }] : [],
  examples: ["check", "check --level read-data --share 1/7", "check --copy 1", "check destination"],
  run: check,
});
