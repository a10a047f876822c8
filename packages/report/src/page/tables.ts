import { type Foreign, type Html, html } from "../html.ts";
import type { Unread } from "../report.ts";

/** A column: its heading, and how its cells look. `figure`: right-aligned; `words`: may be long. */
export interface Column {
  readonly heading: string;
  readonly look?: "figure" | "words";
}

const attribute = ({ look }: Column): Html => (look ? html` class="${look}"` : html``);

/**
 * A table whose first column names the rows. It scrolls by itself where the screen is narrow, so that the page does not.
 *
 * @param id of the table, for plots that show its figures
 */
export const table = (
  id: string,
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Foreign[])[],
): Html => {
  const headings = columns.map((column) => html`<th scope="col"${attribute(column)}>${column.heading}</th>`);
  const cells = (row: readonly Foreign[]) =>
    columns.map((column, index) =>
      index === 0
        ? html`<th scope="row"${attribute(column)}>${row[index] ?? ""}</th>`
        : html`<td${attribute(column)}>${row[index] ?? ""}</td>`,
    );
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table id="${id}"><caption>${caption}</caption><thead><tr>${headings}</tr></thead><tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody></table></div>`;
};

const fewRows = 12;

/** A table behind a line that opens it; open from the start where it is short. */
export const foldedTable = (
  id: string,
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Foreign[])[],
): Html =>
  html`<details${rows.length <= fewRows ? html` open` : html``}><summary>${caption} (table)</summary>${table(id, caption, columns, rows)}</details>`;

/** In the place of what could not be read. */
export const unreadNotice = (what: string, { name, message }: Unread): Html =>
  html`<p class="unread"><strong class="bad">${what} could not be read.</strong> ${name}: ${message}</p>`;
