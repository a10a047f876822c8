import { columnsOf } from "./privacy/tableMap.ts";

/** Columns that hold a patient's number in tables of which the map for exports knows no columns. */
const usualColumns: ReadonlySet<string> = new Set(["pid", "patient_id", "dld_pid", "msg_pid", "pid_holder"]);

/**
 * Columns of a table that hold a patient's number (`pid`), in lower case; none in most tables.
 *
 * @param columns of the table, in lower case
 */
export const patientColumns = (table: string, columns: readonly string[]): readonly string[] => {
  const known = columnsOf(table);
  return columns.filter((column) => {
    const meaning = known?.get(column);
    return meaning ? meaning.kind === "id" && meaning.subject === "patient" : usualColumns.has(column);
  });
};

/** Rows of a table that name no patient, and belong to one because of a row that does. Names in lower case. */
export interface PatientLink {
  readonly table: string;
  readonly column: string;
  readonly parent: string;
  readonly parentColumn: string;
  /** Only rows of the parent in which this column begins so. */
  readonly where?: { readonly column: string; readonly begins: string };
}

/** What hangs on a patient's rows, as far as one column says so. Our reading of the schema of OpenEMR 8.2. */
export const patientLinks: readonly PatientLink[] = [
  { table: "amendments_history", column: "amendment_id", parent: "amendments", parentColumn: "amendment_id" },
  { table: "care_team_member", column: "care_team_id", parent: "care_teams", parentColumn: "id" },
  { table: "categories_to_documents", column: "document_id", parent: "documents", parentColumn: "id" },
  {
    table: "lbf_data",
    column: "form_id",
    parent: "forms",
    parentColumn: "form_id",
    where: { column: "formdir", begins: "LBF" }, // each other kind of form counts anew
  },
  { table: "lbt_data", column: "form_id", parent: "transactions", parentColumn: "id" },
  { table: "lists_medication", column: "list_id", parent: "lists", parentColumn: "id" },
  ...["procedure_answers", "procedure_order_code", "procedure_report", "procedure_specimen"].map((table) => ({
    table,
    column: "procedure_order_id",
    parent: "procedure_order",
    parentColumn: "procedure_order_id",
  })),
  {
    table: "procedure_result",
    column: "procedure_report_id",
    parent: "procedure_report",
    parentColumn: "procedure_report_id",
  },
];
