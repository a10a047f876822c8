import { formatDuration } from "@openemr-ops/core/format";
import type { VerificationLevel } from "@openemr-ops/dumps/verification";
import { shown } from "../shown.ts";
import { announce, type CommandContext, jobOf, storeFacts } from "./context.ts";

export interface CheckOptions {
  readonly level: VerificationLevel;
  readonly share?: string;
}

export const check = async (context: CommandContext, { level, share }: CheckOptions): Promise<void> => {
  const depth = share === undefined ? level : `${level}, part ${share}`;
  announce(context, "Check", [...storeFacts(context), ["level", depth]]);
  const options = share === undefined ? { level } : { level, share };
  const result = await context.operations.checkDumps(jobOf(context), options);
  context.output.result(result, (style) => {
    const dumps = result.dumps.length === 1 ? "1 dump" : `${result.dumps.length} dumps`;
    return shown`${dumps} checked (${depth}): ${style("green", "passed")} in ${formatDuration(result.seconds)}\n`;
  });
};
