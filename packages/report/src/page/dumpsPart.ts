import { formatBytes, formatDuration, formatMoment } from "@openemr-ops/core/format";
import { type Html, html, nothing } from "../html.ts";
import { inSpan, type Span } from "../plots/frame.ts";
import { type Lane, laneplot } from "../plots/lanes.ts";
import { lineplot, type Series } from "../plots/lines.ts";
import { legendMark, type Shape } from "../plots/marks.ts";
import { byteTicks, durationTicks } from "../plots/ticks.ts";
import { type DumpState, dumpStates, type ReportedDump, type ReportedStore } from "../report.ts";
import { type Column, foldedTable } from "./tables.ts";
import { bytes, code, count, counted, duration, moment } from "./values.ts";

interface Look {
  readonly shape: Shape;
  readonly look: string;
  readonly words: string;
}

const looks: Readonly<Record<DumpState, Look>> = {
  verified: { shape: "diamond", look: "good", words: "verified" },
  complete: { shape: "dot", look: "plain", words: "complete, not verified" },
  damaged: { shape: "square", look: "warn", words: "not complete" },
  failed: { shape: "cross", look: "bad", words: "failed" },
  expired: { shape: "ring", look: "muted", words: "expired" },
  unknown: { shape: "triangle", look: "muted", words: "taken, not known whether it is there" },
};

const columns: readonly Column[] = [
  { heading: "taken at (UTC)" },
  { heading: "state" },
  { heading: "dump" },
  { heading: "verified" },
  { heading: "rows", look: "figure" },
  { heading: "files", look: "figure" },
  { heading: "database", look: "figure" },
  { heading: "files size", look: "figure" },
  { heading: "took", look: "figure" },
  { heading: "remarks", look: "words" },
];

const remarks = ({ sealed, warnings = 0, remark }: ReportedDump): string =>
  [
    ...(remark === undefined ? [] : [remark]),
    ...(sealed === false ? ["not sealed"] : []),
    ...(sealed === null ? ["seal not checked"] : []),
    ...(warnings > 0 ? [counted(warnings, "warning")] : []),
  ].join("; ");

const rowOf = (dump: ReportedDump): readonly Html[] => [
  moment(dump.at),
  html`<strong class="${looks[dump.state].look} state">${looks[dump.state].words}</strong>`,
  code(dump.dumpId),
  dump.verified ? html`${dump.verified.level} ${moment(dump.verified.at)}` : nothing,
  count(dump.rows),
  count(dump.files),
  bytes(dump.databaseBytes),
  bytes(dump.filesBytes),
  duration(dump.seconds),
  html`${remarks(dump)}`,
];

const tip = (dump: ReportedDump): string =>
  [formatMoment(dump.at), looks[dump.state].words, dump.dumpId ?? "", dump.remark ?? ""]
    .filter((part) => part !== "")
    .join(" · ");

const byState = (dumps: readonly ReportedDump[]) =>
  dumpStates
    .map((state) => ({ state, dumps: dumps.filter((dump) => dump.state === state) }))
    .filter((group) => group.dumps.length > 0);

/** `3 verified; 12 complete, not verified; 1 failed`. */
const stateWords = (dumps: readonly ReportedDump[]): string =>
  byState(dumps)
    .map((group) => `${group.dumps.length} ${looks[group.state].words}`)
    .join("; ");

const timeline = (dumps: readonly ReportedDump[], what: string, table: string, span: Span): Html => {
  const shown = dumps.filter(({ at }) => inSpan(span, Date.parse(at)));
  if (shown.length === 0) return html`<p>No dump and no attempt in these days.</p>`;
  const lanes = byState(shown).map((group): Lane => {
    const { shape, look, words } = looks[group.state];
    return { label: words, shape, look, marks: group.dumps.map((dump) => ({ at: dump.at, title: tip(dump) })) };
  });
  const older = dumps.filter(({ at }) => Date.parse(at) < span.from).length;
  const name = `Time line of ${what}: ${stateWords(shown)}.`;
  const legend = lanes.map(({ shape, look, label }) => html`<li>${legendMark(shape, look)}${label}</li>`);
  return html`<figure>${laneplot(lanes, { name, table, span })}<figcaption><ul class="legend">${legend}</ul>${older > 0 ? `${counted(older, "older dump")} in the table alone.` : ""}</figcaption></figure>`;
};

const oldestFirst = (dumps: readonly ReportedDump[]) => [...dumps].reverse();

/** A figure of dumps over time, where any has one. */
const series = (
  dumps: readonly ReportedDump[],
  field: "databaseBytes" | "filesBytes" | "seconds",
  shape: Shape,
  look: string,
  tell: (value: number) => string,
): Series => ({
  shape,
  look,
  joined: true,
  points: oldestFirst(dumps).flatMap((dump) => {
    const value = dump[field];
    if (value === undefined || dump.state === "failed") return [];
    return [{ at: dump.at, value, title: `${formatMoment(dump.at)} · ${tell(value)}` }];
  }),
});

const lastOf = ({ points }: Series): number | undefined => points.at(-1)?.value;

const growth = (dumps: readonly ReportedDump[], what: string, table: string, span: Span): Html => {
  const shown = dumps.filter(({ at }) => inSpan(span, Date.parse(at)));
  const database = series(shown, "databaseBytes", "dot", "plain", (value) => `database ${formatBytes(value)}`);
  const files = series(shown, "filesBytes", "square", "warn", (value) => `files ${formatBytes(value)}`);
  const times = series(shown, "seconds", "dot", "plain", formatDuration);
  const [databaseNow, filesNow, timeNow] = [database, files, times].map(lastOf);
  if (databaseNow === undefined && filesNow === undefined && timeNow === undefined) return nothing;
  const sizes = `Size of ${what}: the newest has ${formatBytes(databaseNow ?? 0)} of database and ${formatBytes(filesNow ?? 0)} of files.`;
  const longest = Math.max(...times.points.map(({ value }) => value));
  const durations = `Duration of ${what}: the newest took ${formatDuration(timeNow ?? 0)}, the longest ${formatDuration(longest)}.`;
  return html`<h4>Size</h4>
<figure>${lineplot([database, files], { name: sizes, table, span, ticksOf: (highest) => byteTicks(highest, formatBytes) })}<figcaption><ul class="legend"><li>${legendMark("dot", "plain")}database, before compression</li><li>${legendMark("square", "warn")}files (broken line)</li></ul></figcaption></figure>
${
  times.points.length === 0
    ? nothing
    : html`<h4>Duration</h4>
<figure>${lineplot([times], { name: durations, table, span, ticksOf: (highest) => durationTicks(highest, formatDuration) })}<figcaption>From the start of a dump to its manifest.</figcaption></figure>`
}`;
};

/**
 * The dumps of a store: time line, sizes and durations, and the table with all figures. A copy has the sizes of its
 * original, so only the first destination has those plots.
 */
export const dumpsPart = (store: ReportedStore, what: string, id: string, span: Span): Html => {
  const { dumps, copy, unread } = store;
  const table = `${id}-dumps`;
  const rows = dumps.map(rowOf);
  if (dumps.length === 0) return unread ? nothing : html`<p><strong class="bad">No dump is there.</strong></p>`;
  return html`${timeline(dumps, what, table, span)}
${copy === undefined ? growth(dumps, what, table, span) : nothing}
${foldedTable(table, `${counted(dumps.length, "dump")} and attempts: ${stateWords(dumps)}`, columns, rows)}`;
};
