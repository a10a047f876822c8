import type { ExportedColumn, ExportedTablePlan, Profile, TableColumn, TableDescription } from "./profile.ts";

/** A column of the export, or why it has none. */
export type ColumnDecision = ExportedColumn | string;

export interface TableDecision {
  /** Why nothing of the table leaves. */
  readonly withheld?: string | undefined;
  column(column: TableColumn): ColumnDecision;
  readonly orderBy?: string | undefined;
}

const planTable = (table: TableDescription, decision: TableDecision): ExportedTablePlan => {
  const columns: ExportedColumn[] = [];
  const dropped: { name: string; reason: string }[] = [];
  for (const column of table.columns) {
    const decided = decision.column(column);
    if (typeof decided === "string") dropped.push({ name: column.name, reason: decided });
    else columns.push(decided);
  }
  const { orderBy } = decision;
  return { table: table.name, columns, dropped, ...(orderBy === undefined ? {} : { orderBy }) };
};

/** Plans each table by itself; one of which no column may leave is skipped. */
export const planTables = (
  tables: readonly TableDescription[],
  decide: (table: TableDescription) => TableDecision,
): ReturnType<Profile["plan"]> => {
  const plans: ExportedTablePlan[] = [];
  const skipped: { table: string; reason: string }[] = [];
  for (const table of tables) {
    const decision = decide(table);
    const plan = decision.withheld === undefined ? planTable(table, decision) : undefined;
    if (plan === undefined) skipped.push({ table: table.name, reason: decision.withheld ?? "" });
    else if (plan.columns.length === 0) skipped.push({ table: table.name, reason: "none of its columns may leave" });
    else plans.push(plan);
  }
  return { tables: plans, skipped };
};
