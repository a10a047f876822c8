import { atCopy } from "@openemr-ops/core/config/atCopy";
import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { withCopyTo } from "@openemr-ops/core/config/withCopyTo";
import { exitCodeOf, InvalidInputError } from "@openemr-ops/core/errors";
import { figureWords, formatDuration } from "@openemr-ops/core/format";
import { runCopies } from "@openemr-ops/task/runCopies";
import { ofJob } from "../commonOptions.ts";
import { type Asked, flag, optional } from "../options.ts";
import { aCopy, aPlace, someDumps } from "../optionValues.ts";
import { renderCopies } from "../renderCopies.ts";
import { shown } from "../shown.ts";
import { announce, type CommandContext, carryOut, installationCommand, jobOf, placeOf, storeFacts } from "./context.ts";

const copyOptions = {
  copy: optional("--copy <n>", "only to the n-th copy of the configuration", aCopy),
  to: optional(
    "--to <place>",
    "to this place instead: file:///…, s3://…, gs://…, or a JSON file with destination, endpoint, credentials, passwordFile",
    aPlace,
  ),
  dump: optional("--dump <id>", "with --to: all (if not set), latest, or a dump's identifier", someDumps),
  forceNewRepository: flag(
    "--force-new-repository",
    "create a new repository although the one that held earlier copies is missing; with --to, also on the root file system",
  ),
};

type CopyOptions = Asked<typeof copyOptions>;

/** Copies to the destinations of the configuration. @returns the exit status: that of the first failure, once all copies were tried */
const copyToConfigured = async (context: CommandContext, options: CopyOptions): Promise<number> => {
  const { copies } = context.installation.dumps;
  if (copies.length === 0) {
    const index = context.config.installations.findIndex(({ id }) => id === context.installation.id);
    const message = "is empty; list the destinations at which dumps are to be kept too, or use --to";
    throw new InvalidInputError([{ path: `installations[${index}].dumps.copies`, message }]);
  }
  const chosen = options.copy === undefined ? copies.map((_, index) => index + 1) : [options.copy];
  announce(context, "Copy the dumps of", [
    ...storeFacts(context),
    ...chosen.flatMap((number) => storeFacts(context, number)),
  ]);
  const { dryRun } = context.common;
  const { copy: only, forceNewRepository } = options;
  const request = { copy: only, forceNewRepository, dryRun };
  const { ends, failure } = await runCopies(placeOf(context), request, context.operations);
  const error = failure ? { error: { name: failure.name, message: failure.message } } : {};
  context.output.result({ dryRun, copies: ends, ...error }, (style) => renderCopies(ends, style, dryRun));
  return failure ? exitCodeOf(failure) : 0;
};

/** Copies to a place that the configuration does not list. */
const copyToPlace = async (context: CommandContext, to: string, options: CopyOptions): Promise<number> => {
  const { environment, operations, output } = context;
  const there = { ...context, ...(await withCopyTo(context.config, context.installation, to, { environment })) };
  const { dump = "all", forceNewRepository } = options;
  announce(context, "Copy the dumps of", [...storeFacts(context), ...storeFacts(there, 1, "to"), ["dumps", dump]]);
  const result = await carryOut(there, operations.copyTo, {
    ...jobOf(context, "copy"),
    copy: 1, // the only one that this configuration has
    forceNewRepository,
    to: formatDestination(atCopy(there.installation, 1).dumps.destination),
    ...(dump === "all" ? {} : { dump }),
  });
  const { destination, skipped } = result;
  if ("dryRun" in result) {
    const words = `${figureWords("dumps", result.dumps.length)} would be copied to ${destination}.`;
    output.result(result, () => shown`${words}\n${result.dumps.map((dumpId) => shown`  ${dumpId}\n`)}`);
    return 0;
  }
  const { copied, newest, seconds } = result;
  output.result({ dryRun: false, destination, copied, skipped, dumpId: newest.dumpId, seconds }, (style) => {
    const words = `${figureWords("dumps", copied.length)} copied to ${destination} in ${formatDuration(seconds)}`;
    return shown`${words}; ${style("bold", newest.dumpId)} is ${style("green", "complete")} there.\n`;
  });
  return 0;
};

const copy = (context: CommandContext, options: CopyOptions): Promise<number> =>
  options.to === undefined ? copyToConfigured(context, options) : copyToPlace(context, options.to, options);

export const command = installationCommand({
  name: "copy",
  job: "copy",
  summary:
    "Copy the dumps to the further destinations of the configuration, or to any place, and prove that they are whole there.",
  common: ofJob,
  options: copyOptions,
  problems: ({ copy: number, to, dump }) => [
    ...(to !== undefined && number !== undefined
      ? [{ path: "--to", message: "names a place, and --copy one of the configuration; use one of them" }]
      : []),
    ...(to === undefined && dump !== undefined ? [{ path: "--dump", message: "goes with --to" }] : []),
  ],
  examples: ["copy", "copy --copy 1 --dry-run", "copy --to file:///mnt/usb/clinic-a --dump latest"],
  run: copy,
});
