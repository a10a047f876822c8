import {
  type CostLine,
  endpointsLine,
  estimate,
  hospital,
  type Practice,
  priceSource,
  smallClinic,
} from "./estimate.ts";

const dollars = (usd: number): string => usd.toFixed(2);

const tableOf = (lines: readonly CostLine[]): string => {
  const rows = [
    ["what", "assumption", "USD a month"],
    ...lines.map(({ what, assumption, usd }) => [what, assumption, dollars(usd)]),
    ["**Sum**", "", `**${dollars(lines.reduce((sum, { usd }) => sum + usd, 0))}**`],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
};

const section = (practice: Practice): string => `### ${practice.name}\n\n${tableOf(estimate(practice))}`;

/** The part of `docs/cost.md` that is computed. */
export const costTables = (): string =>
  [
    priceSource,
    ...[smallClinic, hospital].map(section),
    `### With endpoints of its own\n\n${tableOf([endpointsLine])}`,
  ].join("\n\n");
