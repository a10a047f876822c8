import { visibleJson } from "@openemr-ops/core/visible";
import type { SourceWarning } from "@openemr-ops/dumps/manifest";
import type { RestorePlan } from "@openemr-ops/dumps/steps/restoreDump";
import type { DumpPlan, DumpResult } from "@openemr-ops/dumps/steps/takeDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { JobKind } from "@openemr-ops/events/jobKinds";
import type { DrillPlan } from "./programs/drill.ts";
import type { CopyEnd } from "./runCopies.ts";

/** Results as one line of JSON that a log or a mail can hold: a dump's has less than 4 KB, however many tables and sites there are. */

const mostWarnings = 4;
const mostNames = 20;
/** Of a message, as JSON. */
const mostBytes = 250;

/** The text, or its beginning with an ellipsis. */
const cut = (text: string): string => {
  const fits = (some: string) => Buffer.byteLength(visibleJson(some)) <= mostBytes;
  if (fits(text)) return text;
  const characters = [...text.slice(0, mostBytes)];
  while (!fits(`${characters.join("")}…`)) characters.pop();
  return `${characters.join("")}…`;
};

interface ShortWarnings {
  readonly warnings: readonly SourceWarning[];
  /** So many more are not shown. */
  readonly warningsLeftOut?: number;
}

/** The first warnings, each cut to what a line can hold. */
export const shortWarnings = (all: readonly SourceWarning[]): ShortWarnings => ({
  warnings: all.slice(0, mostWarnings).map((warning) => ({ ...warning, message: cut(warning.message) })),
  ...(all.length > mostWarnings ? { warningsLeftOut: all.length - mostWarnings } : {}),
});

/** A dump without its manifest, which `dumps show` has. */
export const shortDump = (result: DumpResult | DumpPlan): object => {
  if ("dryRun" in result) {
    const { exactTables, sites, warnings, ...rest } = result;
    const names = { exactTables: exactTables.slice(0, mostNames), sites: sites.slice(0, mostNames) };
    return { ...rest, ...names, ...shortWarnings(warnings) };
  }
  const { dumpId, complete, figures, manifest } = result;
  const { installation, takenAt, warnings } = manifest;
  return { dumpId, complete, installation, takenAt, figures, ...shortWarnings(warnings) };
};

/** How each copy ended, with the newest dump there and without the identifiers of what it stored. */
export const shortCopies = (ends: readonly CopyEnd[]): object[] =>
  ends.map(({ copy, destination, figures, result, error }) => ({
    copy,
    destination,
    ...(figures ? { figures } : {}),
    ...(result?.dumpId === undefined ? {} : { result: { dumpId: result.dumpId } }),
    ...(error ? { error: { name: error.name, message: cut(error.message) } } : {}),
  }));

/** A verdict without the tables' digests: those of a verdict that passed are the manifest's. */
export const shortVerdict = (result: Verdict | RestorePlan | DrillPlan): object => {
  if (!("warnings" in result)) return result;
  const { warnings, ...rest } = result;
  const { tableDigests: _, ...kept } = { tableDigests: [], ...rest };
  return { ...kept, ...shortWarnings(warnings) };
};

/** What a program that runs jobs of any kind prints of a result. */
export const shortResult = (kind: JobKind, result: unknown): unknown => {
  if (kind === "dump") return shortDump(result as DumpResult | DumpPlan);
  return kind === "drill" || kind === "restore" ? shortVerdict(result as Verdict | RestorePlan | DrillPlan) : result;
};
