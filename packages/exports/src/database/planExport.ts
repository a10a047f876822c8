import { didYouMean } from "@openemr-ops/core/config/didYouMean";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import { growingTables } from "@openemr-ops/openemr/growingTables";
import type { SkippedTable } from "../context.ts";
import type { ExportedTablePlan, Profile } from "../profiles/profile.ts";
import type { DescribedSchema, DescribedTable } from "./describeTables.ts";
import { writtenBefore } from "./since.ts";

export interface PlannedTable {
  readonly described: DescribedTable;
  readonly plan: ExportedTablePlan;
  /** The caller named it: what goes wrong with it is no reason to leave it out. */
  readonly named: boolean;
}

export interface ExportPlan {
  readonly schema: string;
  readonly tables: readonly PlannedTable[];
  readonly skipped: readonly SkippedTable[];
}

const nothingGrows = `would leave no row out: of this export, no table is one whose rows never change once written (${[...growingTables.keys()].join(", ")}); leave it away`;

/** What is wrong with the names of tables that somebody gave, each with a next step. */
const issuesOf = (
  names: readonly string[],
  { tables, others }: DescribedSchema,
  skipped: readonly SkippedTable[],
): readonly InputIssue[] =>
  names.flatMap((name): InputIssue[] => {
    const complain = (message: string): InputIssue[] => [{ path: "tables", message }];
    const other = others.find(({ table }) => table === name);
    if (other) return complain(`${name} is ${other.reason}`);
    const left = skipped.find(({ table }) => table === name);
    if (left) return complain(`${name} does not leave with this profile: ${left.reason}`);
    if (tables.some((table) => table.name === name)) return [];
    const meant = didYouMean(
      name,
      tables.map((table) => table.name),
    );
    return complain(
      `there is no table ${name} that the user may read${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    );
  });

/**
 * Decides which tables leave, before a row is read.
 *
 * @param names tables that the caller wants; all when not set
 * @param since a day: of tables whose rows never change, only those that were written since leave
 * @throws {InvalidInputError} fatal: one of them is unknown, is no table, or does not leave with this profile; no table of it has
 * rows that never change
 */
export const planExport = (
  described: DescribedSchema,
  profile: Profile,
  names: readonly string[] | undefined,
  since?: string,
): ExportPlan => {
  const { tables, skipped } = profile.plan(described.tables);
  if (names) {
    const issues = issuesOf(names, described, skipped);
    if (issues.length > 0) throw new InvalidInputError(issues);
  }
  const byName = new Map(described.tables.map((table) => [table.name, table]));
  const wanted = names && new Set(names);
  const planned = tables
    .filter(({ table }) => !wanted || wanted.has(table))
    .flatMap((plan): PlannedTable[] => {
      const table = byName.get(plan.table);
      if (!table) return [];
      const leftOut = since === undefined ? undefined : writtenBefore(table, described.tables, since);
      return [{ described: table, plan: leftOut ? { ...plan, leftOut } : plan, named: wanted !== undefined }];
    });
  if (since !== undefined && !planned.some(({ plan }) => plan.leftOut))
    throw new InvalidInputError([{ path: "since", message: nothingGrows }]);
  return {
    schema: described.schema,
    tables: planned,
    skipped: wanted ? [] : [...skipped, ...described.others],
  };
};
