import { formatMoment } from "@openemr-ops/core/format";
import type { RestorePlan } from "@openemr-ops/dumps/steps/restoreDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { DrillPlan } from "@openemr-ops/task/programs/drill";
import { shortVerdict } from "@openemr-ops/task/shortResults";
import { renderFigures, renderWarnings } from "../output.ts";
import { nothing, shown } from "../shown.ts";
import { renderFacts } from "../table.ts";
import type { CommandContext } from "./context.ts";

const droppedWords: Readonly<Record<Verdict["dropped"][number]["kind"], string>> = {
  setuid: "set-user bits of files were",
  setgid: "set-group bits of files were",
  sticky: "sticky bits of files were",
  device: "device files were",
  fifo: "named pipes were",
  socket: "sockets were",
};

export const describeDropped = ({ kind, count }: Verdict["dropped"][number]) => ({
  message: `${count} ${droppedWords[kind]} not restored: no document needs them; look at why the source had them`,
});

const notRestoredWords: Readonly<Record<Verdict["notRestored"][number]["kind"], string>> = {
  owner: "owners",
  mode: "modes",
  times: "times",
  attributes: "extended attributes",
};

export const describeNotRestored = ({ kind, count, first }: Verdict["notRestored"][number]) => ({
  message: `${notRestoredWords[kind]} of ${count} files and directories could not be set here (${first.join(", ")}): their content is restored; restore as a user who may set them, on a file system that keeps them, or give the tree to the web server's user yourself`,
});

/** Ends a restore or a drill: its result, the figures, what to do next. */
export const showVerdict = (
  { output }: CommandContext,
  what: string,
  report: Verdict | RestorePlan | DrillPlan,
): void =>
  output.result(shortVerdict(report), (style) => {
    const { dumpId, tables, rows, files, filesBytes } = report;
    const of = `dump ${dumpId} of ${formatMoment(report.takenAt)}`;
    if ("dryRun" in report) {
      const { databaseBytes } = report;
      return shown`${what} would restore ${of}.\n${renderFigures({ tables, rows, databaseBytes, files, filesBytes })}`;
    }
    const { verdict, documents, seconds, keyProof, target, dropped, notRestored, warnings, next } = report;
    return shown`${[
      shown`${what} of ${of}: ${style(verdict === "passed" ? "green" : "red", verdict)}\n`,
      renderFacts([
        ["schema", target.database],
        ["directory", target.sites],
        ["key-pair proof", keyProof],
      ]),
      renderFigures({ tables, rows, files, filesBytes, documents }),
      renderFigures({ restoreSeconds: seconds.restore, compareSeconds: seconds.compare }),
      renderWarnings(warnings, style),
      renderWarnings(dropped.map(describeDropped), style),
      renderWarnings(notRestored.map(describeNotRestored), style),
      next.length > 0 ? shown`Next:\n${next.map((line) => shown`  ${line}\n`)}` : nothing,
    ]}`;
  });
