import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { figureWords, formatBytes, formatCount, formatMoment } from "@openemr-ops/core/format";
import type { ListedExport } from "@openemr-ops/exports/listExports";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { type CommandContext, placeOf, sectionCommand } from "./context.ts";

const count = (value: number | undefined): string => (value === undefined ? "" : formatCount(value));

const colours = { complete: "green", incomplete: "red", running: "yellow" } as const;

const remarks = ({ problem, documents, since, skipped = [] }: ListedExport): string =>
  [
    ...(problem ? [problem] : []),
    ...(since ? [`logs since ${since} alone`] : []),
    ...(documents ? ["documents leave decrypted"] : []),
    ...(skipped.length > 0 ? [figureWords("skipped tables", skipped.length)] : []),
  ].join(", ");

const exports = async (context: CommandContext<"exports">): Promise<void> => {
  const listed = await context.operations.listExports(placeOf(context));
  if (listed.length === 0)
    context.output.warn(
      `${formatDestination(context.installation.exports.destination)} holds no export of ${context.installation.id}; if it should, look whether the volume is mounted and the bucket the right one`,
    );
  context.output.result(listed, (style) => {
    if (listed.length === 0) return shown`There are no exports.\n`;
    const rows = listed.map((one) => [
      one.exportId ?? "",
      one.kind,
      formatMoment(one.startedAt),
      style(colours[one.state], one.state),
      one.profile ?? "",
      count(one.tables),
      count(one.rows),
      count(one.files),
      one.bytes === undefined ? "" : formatBytes(one.bytes),
      one.location,
      remarks(one),
    ]);
    const headings = ["export", "of", "started at", "state", "profile", ">tables", ">rows", ">files", ">size"];
    return renderTable([...headings, "location", "remarks"], rows);
  });
};

export const command = sectionCommand("exports", {
  name: "exports",
  summary: "List the exports at the destination, newest first.",
  options: {},
  examples: ["exports", "exports --json"],
  run: exports,
});
