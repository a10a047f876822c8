import type { EstateContents } from "./plan.ts";

/** A value for one column; bytes go into binary columns. */
export type Cell = string | number | null | Buffer;

/** One table of the miniature hospital: its shape, and the rows that a plan puts there. */
export interface EstateTable {
  readonly name: string;
  /** Column name → type, nullability and default, as CREATE TABLE takes them; the order is that of the cells. */
  readonly columns: Readonly<Record<string, string>>;
  /** Keys and constraints as CREATE TABLE takes them. */
  readonly keys?: readonly string[];
  /** Table options; InnoDB in utf8mb4 unless told. */
  readonly options?: string;
  readonly rows: (contents: EstateContents) => Iterable<readonly Cell[]>;
}

/** Whole numbers from 1 to `count`. */
export function* oneTo(count: number): Generator<number> {
  for (let number = 1; number <= count; number++) yield number;
}

/** Nothing: for tables that only the running application fills. */
export const noRows = (): readonly (readonly Cell[])[] => [];
