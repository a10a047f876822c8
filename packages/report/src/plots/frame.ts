import { type Html, html } from "../html.ts";
import { round } from "./marks.ts";
import { timeTicks } from "./ticks.ts";

/** Width of every plot, in the units of its drawing. It is scaled to the page. */
const width = 720;
/** Left of what is drawn there is room for labels. */
const margin = { left: 84, right: 10, top: 20, bottom: 26 };

/** A span of time, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Where a moment is, from left to right. */
export const xOf = ({ from, to }: Span, moment: number): number =>
  margin.left + ((moment - from) / Math.max(1, to - from)) * (width - margin.left - margin.right);

export const inSpan = ({ from, to }: Span, moment: number): boolean => moment >= from && moment <= to;

export interface Plot {
  /** All that it shows, in a sentence or two: its accessible name. */
  readonly name: string;
  /** Identifier of the table that has its figures. */
  readonly table: string;
  readonly span: Span;
  /** Height of what is drawn, without axis and margins. */
  readonly height: number;
  /** Drawn below the content, at the same coordinates. */
  readonly grid: readonly Html[];
  readonly content: readonly Html[];
}

/** Where lines over the whole width begin and end, and where the content begins from the top. */
export const field = { left: 0, right: width - margin.right, top: margin.top } as const;

/** A line over the whole width, with its label above its left end. */
export const gridLine = (y: number, label: string): Html =>
  html`<line class="grid" x1="${field.left}" x2="${field.right}" y1="${round(y)}" y2="${round(y)}"></line><text x="${field.left}" y="${round(y - 4)}">${label}</text>`;

/** A plot over time: the axis of days or months below, what `content` draws above. */
export const plot = ({ name, table, span, height, grid, content }: Plot): Html => {
  const bottom = margin.top + height;
  const ticks = timeTicks(span.from, span.to).map(({ value, label }) => {
    const x = round(xOf(span, value));
    const anchor = x > width - 30 ? "end" : "middle";
    return html`<line class="grid" x1="${x}" x2="${x}" y1="${margin.top}" y2="${bottom + 4}"></line><text x="${x}" y="${bottom + 19}" text-anchor="${anchor}">${label}</text>`;
  });
  return html`<svg class="plot" role="img" aria-label="${name}" aria-details="${table}" viewBox="0 0 ${width} ${bottom + margin.bottom}">${ticks}<line class="axis" x1="${field.left}" x2="${field.right}" y1="${bottom}" y2="${bottom}"></line>${grid}${content}</svg>`;
};
