import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { formatBytes, formatCount, formatMoment } from "@openemr-ops/core/format";
import { renderTable } from "../table.ts";
import { type CommandContext, jobOf } from "./context.ts";

const count = (value: number | undefined): string => (value === undefined ? "" : formatCount(value));

export const dumps = async (context: CommandContext): Promise<void> => {
  const listed = await context.operations.listDumps(jobOf(context));
  if (listed.length === 0)
    context.output.warn(
      `${formatDestination(context.installation.dumps.destination)} holds no dump of ${context.installation.id}; if it should, look whether the volume is mounted and the bucket the right one`,
    );
  context.output.result(listed, (style) => {
    if (listed.length === 0) return "There are no dumps.\n";
    const rows = listed.map((one) => [
      one.dumpId,
      formatMoment(one.takenAt),
      one.complete ? style("green", "complete") : style("red", "damaged"),
      one.verified ? `${one.verified.level} ${formatMoment(one.verified.at)}` : "not yet",
      count(one.rows),
      count(one.files),
      one.databaseBytes === undefined ? "" : formatBytes(one.databaseBytes + (one.filesBytes ?? 0)),
      one.problem ?? (one.warnings ? `${one.warnings} warnings` : ""),
    ]);
    return renderTable(["dump", "taken at", "state", "verified", ">rows", ">files", ">size", "remarks"], rows);
  });
};
