import { stripVTControlCharacters } from "node:util";
import { Shown, shown } from "./shown.ts";

const width = (text: string): number => stripVTControlCharacters(text).length;
const textOf = (cell: string | Shown): string => shown`${cell}`.text;

/** Rows in columns, two spaces apart. Columns whose heading starts with `>` are aligned right. */
export const renderTable = (headings: readonly string[], rows: readonly (readonly (string | Shown)[])[]): Shown => {
  const names = headings.map((heading) => heading.replace(/^>/, ""));
  const texts = rows.map((row) => row.map(textOf));
  const widths = names.map((name, column) => Math.max(width(name), ...texts.map((row) => width(row[column] ?? ""))));
  const render = (row: readonly string[]) =>
    widths
      .map((wide, column) => {
        const text = row[column] ?? "";
        const gap = " ".repeat(wide - width(text));
        return headings[column]?.startsWith(">") ? gap + text : text + gap;
      })
      .join("  ")
      .trimEnd();
  return new Shown(`${[names, ...texts].map(render).join("\n")}\n`);
};

/** Labels and values, one pair a line. */
export const renderFacts = (facts: readonly (readonly [label: string, value: string])[]): Shown => {
  const wide = Math.max(0, ...facts.map(([label]) => width(textOf(label))));
  return shown`${facts.map(([label, value]) => shown`  ${textOf(label).padEnd(wide)}  ${value}\n`)}`;
};
