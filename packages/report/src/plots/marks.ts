import { type Html, html } from "../html.ts";

/** Forms of marks: each state has one of its own, so that no meaning is in a colour alone. */
export const shapes = ["diamond", "dot", "square", "cross", "ring", "triangle"] as const;
export type Shape = (typeof shapes)[number];

/** A mark at a place, with a text that shows when it is pointed at. `look`: the class that gives its colour. */
export const mark = (shape: Shape, look: string, x: number, y: number, title: string, size = 4.5): Html => {
  const at = (dx: number, dy: number): string => `${round(x + dx * size)} ${round(y + dy * size)}`;
  const tip = title === "" ? html`` : html`<title>${title}</title>`;
  switch (shape) {
    case "dot":
      return html`<circle class="${look} solid" cx="${round(x)}" cy="${round(y)}" r="${round(size * 0.85)}">${tip}</circle>`;
    case "ring":
      return html`<circle class="${look} line" cx="${round(x)}" cy="${round(y)}" r="${round(size * 0.85)}">${tip}</circle>`;
    case "diamond":
      return html`<path class="${look} solid" d="M${at(0, -1.2)}L${at(1.2, 0)}L${at(0, 1.2)}L${at(-1.2, 0)}Z">${tip}</path>`;
    case "square":
      return html`<path class="${look} solid" d="M${at(-0.8, -0.8)}L${at(0.8, -0.8)}L${at(0.8, 0.8)}L${at(-0.8, 0.8)}Z">${tip}</path>`;
    case "cross":
      return html`<path class="${look} line" d="M${at(-0.9, -0.9)}L${at(0.9, 0.9)}M${at(-0.9, 0.9)}L${at(0.9, -0.9)}">${tip}</path>`;
    case "triangle":
      return html`<path class="${look} line" d="M${at(0, -1)}L${at(1, 0.8)}L${at(-1, 0.8)}Z">${tip}</path>`;
  }
};

/** A coordinate with one decimal: the page stays small. */
export const round = (value: number): number => Math.round(value * 10) / 10;

/** A mark by itself, for a legend; its words are beside it. */
export const legendMark = (shape: Shape, look: string): Html =>
  html`<svg class="key" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">${mark(shape, look, 7, 7, "")}</svg>`;

/** The broken line of a goal, for a legend. */
export const legendGoal = html`<svg class="key" viewBox="0 0 30 14" width="30" height="14" aria-hidden="true"><line class="goal" x1="0" x2="30" y1="7" y2="7"></line></svg>`;
