import { figureWords, formatBytes, formatCount, formatMoment } from "@openemr-ops/core/format";
import { type CopyOption, copyOption } from "../copyOption.ts";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { type CommandContext, installationCommand, placeOf } from "./context.ts";

const count = (value: number | undefined): string => (value === undefined ? "" : formatCount(value));

const dumps = async (context: CommandContext, options: CopyOption): Promise<void> => {
  const listed = await context.operations.listDumps(placeOf(context), options);
  if (listed.length === 0)
    context.output.warn(
      `there is no dump of ${context.installation.id} here: ${await context.operations.describeStore(placeOf(context), options)}`,
    );
  if (listed.some(({ sealed }) => sealed === null))
    context.output.warn(
      "no secret that proves who made these dumps could be used here: whoever may write to the destination can have made them",
    );
  context.output.result(listed, (style) => {
    if (listed.length === 0) return shown`There are no dumps.\n`;
    const rows = listed.map((one) => [
      one.dumpId,
      formatMoment(one.takenAt),
      one.complete ? style("green", "complete") : style("red", "damaged"),
      one.verified
        ? `${one.verified.level} ${formatMoment(one.verified.at)}${one.verified.sealed === false ? " (not sealed)" : ""}`
        : "not yet",
      count(one.rows),
      count(one.files),
      one.databaseBytes === undefined ? "" : formatBytes(one.databaseBytes + (one.filesBytes ?? 0)),
      one.problem ??
        [
          ...(one.sealed === false ? ["not sealed"] : []),
          ...(one.warnings ? [figureWords("warnings", one.warnings)] : []),
        ].join(", "),
    ]);
    return renderTable(["dump", "taken at", "state", "verified", ">rows", ">files", ">size", "remarks"], rows);
  });
};

export const command = installationCommand({
  name: "dumps",
  summary:
    "List the dumps at the destination, newest first; without the repository's password, those that have a plain manifest.",
  options: copyOption,
  examples: ["dumps", "dumps --json", "dumps --copy 1"],
  run: dumps,
});
