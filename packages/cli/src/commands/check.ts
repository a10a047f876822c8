import { formatDuration } from "@openemr-ops/core/format";
import { type VerificationLevel, verificationLevels } from "@openemr-ops/dumps/verification";
import { ofJob } from "../commonOptions.ts";
import { type CopyOption, copyOption } from "../copyOption.ts";
import { flag, optional, withDefault } from "../options.ts";
import { aChoice, anAge, aShare } from "../optionValues.ts";
import { shown } from "../shown.ts";
import { checkAge } from "./checkAge.ts";
import { announce, type CommandContext, carryOut, installationCommand, jobOf, storeFacts } from "./context.ts";

interface CheckOptions extends CopyOption {
  readonly level: VerificationLevel;
  readonly share?: string;
  readonly maxAge?: number;
  readonly verified: boolean;
}

const check = async (context: CommandContext, options: CheckOptions): Promise<number> => {
  const { level, share, maxAge, ...rest } = options;
  if (maxAge !== undefined) return checkAge(context, { ...rest, maxAge });
  const { copy } = rest;
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
  return 0;
};

export const command = installationCommand({
  name: "check",
  job: "check",
  onlyLooks: ({ maxAge }) => maxAge !== undefined,
  summary: "Check dumps at the destination, or the destination itself.",
  common: ofJob,
  options: {
    ...copyOption,
    level: withDefault(
      "--level <level>",
      `how deep: ${verificationLevels.join(", ")}`,
      aChoice(verificationLevels),
      "objects",
    ),
    share: optional("--share <n/m>", "with read-data: only the n-th of m parts of the repository", aShare),
    maxAge: optional(
      "--max-age <age>",
      "only check that the newest complete dump is not older, such as 90m, 26h or 8d",
      anAge,
    ),
    verified: flag("--verified", "with --max-age: the newest that passed a drill or a check of every stored byte"),
  },
  problems: ({ level, share, maxAge, verified }) => [
    ...(share !== undefined && level !== "read-data"
      ? [{ path: "--share", message: "goes with --level read-data" }]
      : []),
    ...(verified && maxAge === undefined ? [{ path: "--verified", message: "goes with --max-age" }] : []),
    ...(maxAge !== undefined && level !== "objects"
      ? [{ path: "--max-age", message: "looks at ages alone; leave --level out" }]
      : []),
  ],
  examples: ["check", "check --level read-data --share 1/7", "check --max-age 26h", "check --max-age 8d --verified"],
  run: check,
});
