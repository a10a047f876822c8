import { formatDuration, formatMoment } from "@openemr-ops/core/format";
import { type Html, html, nothing } from "../html.ts";
import { inSpan, type Span } from "../plots/frame.ts";
import { lineplot, type Point } from "../plots/lines.ts";
import { legendGoal, legendMark } from "../plots/marks.ts";
import { durationTicks } from "../plots/ticks.ts";
import type { ReportedDrill, ReportedDrills } from "../report.ts";
import { formatGoal } from "../words.ts";
import { foldedTable } from "./tables.ts";
import { code, counted, duration, moment } from "./values.ts";

const columns = [
  { heading: "started at (UTC)" },
  { heading: "result" },
  { heading: "dump" },
  { heading: "restore took", look: "figure" as const },
  { heading: "goal" },
  { heading: "compare took", look: "figure" as const },
  { heading: "remarks", look: "words" as const },
];

const resultOf = ({ status }: ReportedDrill): Html =>
  status === "succeeded" ? html`<strong class="good">passed</strong>` : html`<strong class="bad">${status}</strong>`;

const goalWords = ({ withinGoal }: ReportedDrill): Html => {
  if (withinGoal === undefined) return nothing;
  return withinGoal ? html`<strong class="good">met</strong>` : html`<strong class="warn">missed</strong>`;
};

const pointOf = (drill: ReportedDrill): Point => {
  const { at, restoreSeconds, withinGoal, status } = drill;
  if (status !== "succeeded" || restoreSeconds === undefined)
    return { at, value: 0, title: `${formatMoment(at)} · ${status}`, shape: "cross", look: "bad" };
  const title = `${formatMoment(at)} · restored in ${formatDuration(restoreSeconds)}`;
  return withinGoal === false
    ? { at, value: restoreSeconds, title, shape: "triangle", look: "warn whole" }
    : { at, value: restoreSeconds, title };
};

/** Drills with their measured restore time, against the goal. */
export const drillsPart = ({ goalSeconds, drills }: ReportedDrills, what: string, id: string, span: Span): Html => {
  const goal =
    goalSeconds === undefined ? "No goal is set (dumps.drill.goalMinutes)." : `Goal: ${formatGoal(goalSeconds)}.`;
  if (drills.length === 0) return html`<p>No drill ran in these days. ${goal}</p>`;
  const shown = drills.filter(({ at }) => inSpan(span, Date.parse(at)));
  const measured = shown.filter(({ status, restoreSeconds }) => status === "succeeded" && restoreSeconds !== undefined);
  const [newest] = measured;
  const table = `${id}-drills`;
  const name = `Restore time of ${counted(shown.length, "drill")} of ${what}: ${
    newest?.restoreSeconds === undefined
      ? "none was measured"
      : `the newest took ${formatDuration(newest.restoreSeconds)}`
  }; ${counted(shown.length - measured.length, "failure")}. ${goal}`;
  const series = { shape: "dot" as const, look: "good", joined: false, points: [...shown].reverse().map(pointOf) };
  const limit = goalSeconds === undefined ? {} : { goal: goalSeconds };
  const rows = drills.map((drill) => [
    moment(drill.at),
    resultOf(drill),
    code(drill.dumpId),
    duration(drill.restoreSeconds),
    goalWords(drill),
    duration(drill.compareSeconds),
    drill.remark ?? "",
  ]);
  const slow =
    goalSeconds === undefined
      ? nothing
      : html`<li>${legendMark("triangle", "warn whole")}restored, slower than the goal</li><li>${legendGoal}goal: ${formatGoal(goalSeconds)}</li>`;
  const legend = html`<ul class="legend"><li>${legendMark("dot", "good")}restored${goalSeconds === undefined ? "" : " within the goal"}</li>${slow}<li>${legendMark("cross", "bad")}failed</li></ul>`;
  return html`<figure>${lineplot([series], { name, table, span, ticksOf: (highest) => durationTicks(highest, formatDuration), ...limit })}<figcaption>${legend}</figcaption></figure>
${foldedTable(table, `Drills of ${what}`, columns, rows)}`;
};
