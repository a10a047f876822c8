import { stripVTControlCharacters } from "node:util";

const width = (text: string): number => stripVTControlCharacters(text).length;

/** Rows in columns, two spaces apart. Columns whose heading starts with `>` are set right. */
export const renderTable = (headings: readonly string[], rows: readonly (readonly string[])[]): string => {
  const names = headings.map((heading) => heading.replace(/^>/, ""));
  const widths = names.map((name, column) => Math.max(width(name), ...rows.map((row) => width(row[column] ?? ""))));
  const render = (row: readonly string[]) =>
    widths
      .map((wide, column) => {
        const text = row[column] ?? "";
        const gap = " ".repeat(wide - width(text));
        return headings[column]?.startsWith(">") ? gap + text : text + gap;
      })
      .join("  ")
      .trimEnd();
  return `${[names, ...rows].map(render).join("\n")}\n`;
};

/** Labels and values, one pair a line. */
export const renderFacts = (facts: readonly (readonly [label: string, value: string])[]): string => {
  const wide = Math.max(0, ...facts.map(([label]) => width(label)));
  return facts.map(([label, value]) => `  ${label.padEnd(wide)}  ${value}\n`).join("");
};
