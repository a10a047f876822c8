import { exitCodeOf, InvalidInputError } from "@openemr-ops/core/errors";
import { runCopies } from "@openemr-ops/task/runCopies";
import { usualAndDryRun } from "../commonOptions.ts";
import { flag, optional } from "../options.ts";
import { aCopy } from "../optionValues.ts";
import { renderCopies } from "../renderCopies.ts";
import { announce, type CommandContext, installationCommand, placeOf, storeFacts } from "./context.ts";

interface CopyOptions {
  readonly copy?: number;
  readonly forceNewRepository: boolean;
}

/** @returns the exit status: that of the first failure, once all copies were tried */
const copy = async (context: CommandContext, options: CopyOptions): Promise<number> => {
  const { copies } = context.installation.dumps;
  if (copies.length === 0) {
    const index = context.config.installations.findIndex(({ id }) => id === context.installation.id);
    const message = "is empty; list the destinations at which dumps are to be kept too";
    throw new InvalidInputError([{ path: `installations[${index}].dumps.copies`, message }]);
  }
  const chosen = options.copy === undefined ? copies.map((_, index) => index + 1) : [options.copy];
  announce(context, "Copy the dumps of", [
    ...storeFacts(context),
    ...chosen.flatMap((number) => storeFacts(context, number)),
  ]);
  const { dryRun } = context.common;
  const { ends, failure } = await runCopies(placeOf(context), { ...options, dryRun }, context.operations);
  const error = failure ? { error: { name: failure.name, message: failure.message } } : {};
  context.output.result({ dryRun, copies: ends, ...error }, (style) => renderCopies(ends, style, dryRun));
  return failure ? exitCodeOf(failure) : 0;
};

export const command = installationCommand({
  name: "copy",
  job: "copy",
  summary: "Copy the dumps to the further destinations of the configuration, and prove that they are whole there.",
  common: usualAndDryRun,
  options: {
    copy: optional("--copy <n>", "only to the n-th copy of the configuration", aCopy),
    forceNewRepository: flag(
      "--force-new-repository",
      "create a new repository although the one that held earlier copies is missing",
    ),
  },
  examples: ["copy", "copy --copy 1 --dry-run"],
  run: copy,
});
