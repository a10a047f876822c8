import { figureWords } from "@openemr-ops/core/format";
import type { CopyEnd } from "@openemr-ops/task/runCopies";
import { type Shown, shown } from "./shown.ts";
import { renderTable } from "./table.ts";
import type { Stylist } from "./terminal.ts";

/** How each copy ended: figures, or the error. */
export const renderCopies = (ends: readonly CopyEnd[], style: Stylist, dryRun = false): Shown => {
  const state = ({ error }: CopyEnd): Shown =>
    error ? style("red", "failed") : style("green", dryRun ? "would copy" : "complete");
  const remarks = ({ error, figures = {} }: CopyEnd): string =>
    error
      ? `${error.name}: ${error.message}`
      : Object.entries(figures)
          .map(([name, value]) => figureWords(name, value))
          .join(", ");
  return shown`${renderTable(
    ["copy", "destination", "", "remarks"],
    ends.map((end) => [String(end.copy), end.destination, state(end), remarks(end)]),
  )}`;
};
