import { type Html, html, nothing } from "../html.ts";
import { field, gridLine, inSpan, plot, type Span, xOf } from "./frame.ts";
import { mark, round, type Shape } from "./marks.ts";
import type { Tick } from "./ticks.ts";

const height = 130;
/** More points than that would hide their own line. */
const mostMarks = 120;

export interface Point {
  readonly at: string;
  readonly value: number;
  readonly title: string;
  /** Not set, as the series. */
  readonly shape?: Shape;
  readonly look?: string;
}

/** Values over time. `joined`: a line goes from one to the next. */
export interface Series {
  readonly shape: Shape;
  /** The class that gives its colour, and how its line is broken. */
  readonly look: string;
  readonly joined: boolean;
  /** In the order of time. */
  readonly points: readonly Point[];
}

/** Values over time from 0 up; every series has its form, its colour and its line. */
export const lineplot = (
  series: readonly Series[],
  {
    name,
    table,
    span,
    ticksOf,
    goal,
  }: {
    readonly name: string;
    readonly table: string;
    readonly span: Span;
    readonly ticksOf: (highest: number) => readonly Tick[];
    /** A value to compare with: a broken line. */
    readonly goal?: number;
  },
): Html => {
  const shown = series.map((one) => ({ ...one, points: one.points.filter(({ at }) => inSpan(span, Date.parse(at))) }));
  const highest = Math.max(goal ?? 0, ...shown.flatMap(({ points }) => points.map(({ value }) => value)));
  const ticks = ticksOf(highest > 0 ? highest : 1);
  const top = ticks.at(-1)?.value ?? 1;
  const yOf = (value: number): number => field.top + height - (value / top) * height;
  const place = ({ at, value }: Point) => ({ x: xOf(span, Date.parse(at)), y: yOf(value) });
  const lines = shown.map(({ look, joined, points }) => {
    if (!joined || points.length < 2) return nothing;
    const path = points.map(place).map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${round(x)} ${round(y)}`);
    return html`<path class="${look} line" d="${path.join("")}"></path>`;
  });
  const size = shown.some(({ points }) => points.length > mostMarks) ? 2.2 : 4;
  const marks = shown.flatMap(({ shape, look, points }) =>
    points.map((point) => {
      const { x, y } = place(point);
      return mark(point.shape ?? shape, point.look ?? look, x, y, point.title, size);
    }),
  );
  const limit =
    goal === undefined
      ? nothing
      : html`<line class="goal" x1="${field.left}" x2="${field.right}" y1="${round(yOf(goal))}" y2="${round(yOf(goal))}"></line>`;
  const grid = ticks.filter(({ value }) => value > 0).map(({ value, label }) => gridLine(yOf(value), label));
  return plot({ name, table, span, height, grid, content: [limit, ...lines, ...marks] });
};
