import type { Destination } from "@openemr-ops/core/destination";
import { DatabaseFailedError } from "@openemr-ops/core/errors";
import type { ResultField, TakeRow } from "@openemr-ops/database/binaryRows";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import type { ParquetColumn } from "../parquet/columnType.ts";
import type { PageBuffers } from "../parquet/pageBuffers.ts";
import { ParquetWriter, type WrittenFile } from "../parquet/parquetWriter.ts";
import type { ExportedColumn } from "../profiles/profile.ts";
import { columnsThatStayNumbers } from "./booleans.ts";
import { type Losses, type ReadCell, transformedCell } from "./cellReaders.ts";
import type { PlannedTable } from "./planExport.ts";
import { booleanType, type ResultType, resultType } from "./resultType.ts";
import { countLeftOut, countOf, ownColumn, selectOf } from "./statement.ts";
import { type StoredFile, type StoringFile, storingFile } from "./storedFile.ts";

/** A column as it left. */
export interface ColumnReport {
  readonly name: string;
  /** As in the catalogue; of an expression nothing. */
  readonly columnType: string | undefined;
  readonly parquet: ParquetColumn;
  readonly treatment: string;
  readonly note: string | undefined;
  readonly losses: Losses;
}

export interface TableReport {
  readonly table: string;
  readonly engine: string;
  /** Below the export's directory. */
  readonly directory: string;
  /** Rows that stay because they were written before the day that was asked for; not set: the table is whole. */
  readonly leftOut?: number;
  readonly rows: number;
  readonly bytes: number;
  readonly rawBytes: number;
  readonly files: readonly (StoredFile & { readonly rows: number })[];
  readonly columns: readonly ColumnReport[];
  readonly dropped: readonly { readonly name: string; readonly reason: string }[];
}

export interface TableTarget {
  readonly destination: Destination;
  /** Of the export, without a slash at the end. */
  readonly prefix: string;
  readonly directory: string;
  readonly buffers: PageBuffers;
  readonly signal: AbortSignal;
  readonly onRows: (rows: number) => void;
  /** A file this large is followed by another one; the writer's own number when not set. */
  readonly fileBytes?: number;
}

const textType: ResultType["type"] = { physical: "BYTE_ARRAY", logical: { kind: "string" } };

interface PreparedColumn {
  readonly report: ColumnReport;
  readonly reader: ResultType["reader"];
}

/** @param number why it is no boolean, though one was wished */
const prepared = (
  { described }: PlannedTable,
  column: ExportedColumn,
  { field, number }: { readonly field: ResultField; readonly number: string | undefined },
): PreparedColumn => {
  const own = ownColumn(described, column);
  const { transform } = column;
  const asBoolean = column.boolean && number === undefined ? booleanType(field) : undefined;
  const result = asBoolean ?? resultType(field, transform ? undefined : own);
  const type = transform ? textType : result.type;
  return {
    report: {
      name: column.name,
      columnType: own?.columnType,
      parquet: { name: column.name, type },
      treatment: column.treatment,
      note: transform ? undefined : (number ?? result.note),
      losses: { nulledDates: 0, replacedTexts: 0 },
    },
    reader: transform ? (to) => transformedCell(to, transform) : result.reader,
  };
};

/** Rows between two reports of progress. */
const reportEvery = 65_536;

/** One table on its way: first its rows are read, then what is left is written, which the next table need not wait for. */
export class TableExport {
  readonly #planned: PlannedTable;
  readonly #target: TableTarget;
  readonly #stored: StoredFile[] = [];
  readonly #open: StoringFile[] = [];
  #columns: readonly ColumnReport[] = [];
  #numbers: ReadonlyMap<string, string> = new Map();
  #writer: ParquetWriter | undefined;
  #rows = 0;
  #leftOut: number | undefined;
  /** Of all rows, as the server sent them. */
  receivedBytes = 0;

  constructor(planned: PlannedTable, target: TableTarget) {
    this.#planned = planned;
    this.#target = target;
  }

  /**
   * @param connection inside the snapshot
   * @throws the `Database…Error` and `Destination…Error` families
   */
  async read(connection: DatabaseConnection): Promise<void> {
    const { described, plan } = this.#planned;
    const { signal } = this.#target;
    this.#numbers = await columnsThatStayNumbers(connection, this.#planned);
    const sent = await connection.binaryRows(selectOf(described, plan), (fields) => this.#taker(fields), signal);
    if (sent !== this.#rows) throw new DatabaseFailedError(`table ${plan.table} gave ${sent} rows, not ${this.#rows}`);
    if (plan.leftOut !== undefined) {
      const [stayed] = await connection.rows(countLeftOut(plan.table, plan.leftOut));
      this.#leftOut = Number(stayed?.n);
    }
    if (described.engine !== "InnoDB") return; // others have no snapshot, and may have changed meanwhile
    const [counted] = await connection.rows(countOf(plan));
    if (counted?.n !== `${sent}`)
      throw new DatabaseFailedError(
        `table ${plan.table} gave ${sent} rows and has ${counted?.n}: see the server's log, and export again`,
      );
  }

  #openFile(part: number): StoringFile {
    const { destination, prefix, directory } = this.#target;
    const path = `${directory}/part-${String(part).padStart(5, "0")}.parquet`;
    const file = storingFile(destination, { key: `${prefix}/${path}`, path }, (stored) => this.#stored.push(stored));
    this.#open.push(file);
    return file;
  }

  #taker(fields: readonly ResultField[]): TakeRow {
    const { plan } = this.#planned;
    const { buffers, fileBytes } = this.#target;
    if (fields.length !== plan.columns.length)
      throw new DatabaseFailedError(`table ${plan.table} gave ${fields.length} columns of ${plan.columns.length}`);
    const columns = plan.columns.map((column, index) =>
      prepared(this.#planned, column, { field: fields[index] as ResultField, number: this.#numbers.get(column.name) }),
    );
    this.#columns = columns.map(({ report }) => report);
    const writer = new ParquetWriter(
      this.#columns.map(({ parquet }) => parquet),
      { buffers, open: (part) => this.#openFile(part), ...(fileBytes === undefined ? {} : { fileBytes }) },
    );
    this.#writer = writer;
    const readers = columns.map(({ reader, report }, index): ReadCell => {
      const column = writer.columns[index];
      if (!column) throw new RangeError("a writer has a column for each of its table");
      return reader(column, report.losses);
    });
    return this.#rowTaker(readers, writer);
  }

  /** A row of the binary protocol: a zero, a bit a column for NULL behind two of no use, then the values that are none. */
  #rowTaker(readers: readonly ReadCell[], writer: ParquetWriter): TakeRow {
    const { onRows } = this.#target;
    const { columns } = writer;
    const width = readers.length;
    const nullBytes = (width + 9) >> 3;
    return (bytes, start, end) => {
      let at = start + 1 + nullBytes;
      for (let index = 0; index < width; index++) {
        const bit = index + 2;
        const isNull = (bytes[start + 1 + (bit >> 3)] as number) & (1 << (bit & 7));
        if (isNull) columns[index]?.addNull();
        else at = (readers[index] as ReadCell)(bytes, at);
      }
      if (at !== end)
        throw new DatabaseFailedError(`a row of table ${this.#planned.plan.table} has another length than its values`);
      this.receivedBytes += end - start;
      if (++this.#rows % reportEvery === 0) onRows(this.#rows);
      return writer.endRow(end - start);
    };
  }

  /** Writes what is left. */
  async finish(): Promise<TableReport> {
    const { plan, described } = this.#planned;
    const written = (await this.#writer?.finish()) ?? [];
    const sum = (of: (file: WrittenFile) => number): number => written.reduce((total, file) => total + of(file), 0);
    const files = this.#stored.map((file, index) => ({ ...file, rows: written[index]?.rows ?? 0 }));
    return {
      table: plan.table,
      engine: described.engine,
      directory: this.#target.directory,
      ...(this.#leftOut === undefined ? {} : { leftOut: this.#leftOut }),
      rows: sum(({ rows }) => rows),
      bytes: sum(({ bytes }) => bytes),
      rawBytes: sum(({ rawBytes }) => rawBytes),
      files,
      columns: this.#columns,
      dropped: plan.dropped,
    };
  }

  /**
   * Removes what is at the destination of the table. Never throws: why it is abandoned is worth more.
   *
   * @returns whether nothing is left; who may only write leaves what was whole
   */
  async abandon(reason: Error): Promise<boolean> {
    for (const file of this.#open) await file.abandon(reason);
    const { destination, prefix } = this.#target;
    const removals = this.#stored.map(({ path }) => destination.delete(`${prefix}/${path}`));
    return (await Promise.allSettled(removals)).every(({ status }) => status === "fulfilled");
  }
}
