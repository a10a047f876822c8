import { didYouMean } from "@openemr-ops/core/config/didYouMean";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import type { SkippedTable } from "../context.ts";
import type { ExportedTablePlan, Profile } from "../profiles/profile.ts";
import type { DescribedSchema, DescribedTable } from "./describeTables.ts";

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
 * @throws {InvalidInputError} fatal: one of them is unknown, is no table, or does not leave with this profile
 */
export const planExport = (
  described: DescribedSchema,
  profile: Profile,
  names: readonly string[] | undefined,
): ExportPlan => {
  const { tables, skipped } = profile.plan(described.tables);
  if (names) {
    const issues = issuesOf(names, described, skipped);
    if (issues.length > 0) throw new InvalidInputError(issues);
  }
  const byName = new Map(described.tables.map((table) => [table.name, table]));
  const wanted = names && new Set(names);
  return {
    schema: described.schema,
    tables: tables
      .filter(({ table }) => !wanted || wanted.has(table))
      .flatMap((plan): PlannedTable[] => {
        const table = byName.get(plan.table);
        return table ? [{ described: table, plan, named: wanted !== undefined }] : [];
      }),
    skipped: wanted ? [] : [...skipped, ...described.others],
  };
};
