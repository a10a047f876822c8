import type { SkippedTable } from "../context.ts";

/** A column as the server's catalogue has it. */
export interface TableColumn {
  readonly name: string;
  /** `DATA_TYPE` in lower case, such as `varchar`. */
  readonly dataType: string;
  /** `COLUMN_TYPE`, such as `int(10) unsigned`. */
  readonly columnType: string;
  readonly nullable: boolean;
}

export interface TableDescription {
  readonly name: string;
  readonly columns: readonly TableColumn[];
}

/** One column of the export. */
export interface ExportedColumn {
  readonly name: string;
  /**
   * What is asked of the server in place of the column, as an SQL expression on its table; the plain column when not set. The
   * type of the export's column follows from what the server says of the result. Holds no secret: servers log statements.
   */
  readonly expression?: string;
  /** Changes each value that is not NULL, given as the text of the result, in UTF-8; the answer is text. */
  readonly transform?: (text: Buffer) => string | undefined;
  /** A whole number that leaves as a boolean, where all rows have 0, 1 or NULL; where they have not, as the number that it is. */
  readonly boolean?: true;
  /** In words, for the report beside the data: `kept`, `pseudonym of a patient`, `year`, `first three digits`. */
  readonly treatment: string;
}

export interface ExportedTablePlan {
  readonly table: string;
  readonly columns: readonly ExportedColumn[];
  /** Columns that are left out. */
  readonly dropped: readonly { readonly name: string; readonly reason: string }[];
  /** Which rows stay, as an SQL condition that is true or false; none when not set. */
  readonly leftOut?: string;
  /** By what the rows are sorted, as an SQL expression; the server's own order when not set. Holds no secret. */
  readonly orderBy?: string;
}

/** Which tables and columns leave, and in what form. Decides before a row is read. */
export interface Profile {
  readonly name: string;
  /** Every table of the schema is in exactly one of both lists. */
  plan(tables: readonly TableDescription[]): {
    readonly tables: readonly ExportedTablePlan[];
    readonly skipped: readonly SkippedTable[];
  };
}
