import { type Html, html } from "../html.ts";
import { field, inSpan, plot, type Span, xOf } from "./frame.ts";
import { mark, type Shape } from "./marks.ts";

const laneHeight = 36;

/** Marks of one state, on a line of their own. */
export interface Lane {
  readonly label: string;
  readonly shape: Shape;
  readonly look: string;
  readonly marks: readonly { readonly at: string; readonly title: string }[];
}

/** A time line: one lane for each state, so that marks of different states never hide each other. */
export const laneplot = (
  lanes: readonly Lane[],
  { name, table, span }: { readonly name: string; readonly table: string; readonly span: Span },
): Html => {
  const yOf = (index: number): number => field.top + index * laneHeight + laneHeight / 2 + 8;
  const grid = lanes.map(
    ({ label }, index) =>
      html`<line class="grid" x1="${field.left}" x2="${field.right}" y1="${yOf(index)}" y2="${yOf(index)}"></line><text x="${field.left}" y="${yOf(index) - 8}">${label}</text>`,
  );
  const content = lanes.flatMap(({ shape, look, marks }, index) =>
    marks
      .filter(({ at }) => inSpan(span, Date.parse(at)))
      .map(({ at, title }) => mark(shape, look, xOf(span, Date.parse(at)), yOf(index), title)),
  );
  return plot({ name, table, span, height: lanes.length * laneHeight, grid, content });
};
