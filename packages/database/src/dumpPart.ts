import { columnNames } from "./deferredKeys.ts";
import { type RowsDigest, rowsDigest } from "./rowsDigest.ts";
import { literalsAt, literalValue } from "./rowValues.ts";
import { namesInHead, type SectionHandler } from "./sqlScanner.ts";

/** A row is wanted if one of these columns has one of these values, as text. Names of columns in lower case. */
export interface WantedRows {
  readonly anyOf: ReadonlyMap<string, ReadonlySet<string>>;
  /** Columns whose values of each wanted row are of interest, in lower case. */
  readonly columns?: readonly string[];
  /** Called with them, in the order of `columns`; `null` also for a column that the table does not have. */
  readonly onRow?: (values: readonly (string | null)[]) => void;
}

/** What of a dump's rows is wanted. */
export interface DumpPart {
  /** @param columns in the table's order, in lower case; empty where they cannot be read */
  select(table: string, columns: readonly string[]): "all" | WantedRows | undefined;
  /** Names of all tables that it may select; behind them the rest of the stream is not read. Absent: it may be any. */
  readonly only?: ReadonlySet<string>;
}

/** Of a table that was passed on, in whole or in part. */
export interface TakenTable {
  readonly name: string;
  /** Of the rows that were passed on; absent where that was the whole table. */
  readonly some?: { readonly rows: number; readonly byteLength: number; readonly sha256: string };
}

/** Follows a stream with a handler that is given the wanted rows alone, and no programs. */
export interface PartReader {
  handler(inner: SectionHandler): SectionHandler;
  /** All that can be wanted has passed. */
  enough(): boolean;
  /** At the end of the stream, or when there is enough of it. */
  taken(): readonly TakenTable[];
}

/** Rows that are passed on together, as one statement. Bytes. */
const batchBytes = 256 * 1024;
const newline = 10;

interface OpenTable {
  readonly wanted: WantedRows;
  /** Statements that make the table; first one that drops what an interrupted load left of it. */
  readonly make: readonly string[];
  readonly columns: readonly string[];
  readonly digest: RowsDigest;
  /** Of the statement under way; absent between two. */
  head: Buffer | undefined;
  /** Places of `anyOf`, then of `columns`; -1 for one that is absent. */
  places: readonly number[];
  /** A row without any of these is not wanted; absent where there are too many to look for. */
  readonly needles: readonly Buffer[] | undefined;
  /** Start of a row whose end has not come. */
  begun: Buffer[];
  batch: Buffer[];
  batchLength: number;
  passedOn: boolean;
}

const mostNeedles = 4;
/** A row that is to be cut into its values holds one of few values as it is. */
const needlesOf = ({ anyOf }: WantedRows): readonly Buffer[] | undefined => {
  const values = [...anyOf.values()].flatMap((wanted) => [...wanted]);
  const few = values.length <= mostNeedles && values.every((value) => /^\w+$/.test(value));
  return few ? values.map((value) => Buffer.from(value)) : undefined;
};

/**
 * @param tables of the manifest: rows of an exact one come in a section of their own, behind all others
 */
export const partReader = (
  part: DumpPart,
  tables: readonly { readonly name: string; readonly keyed: boolean; readonly exact: boolean }[],
): PartReader => {
  const described = new Map(tables.map((table) => [table.name, table]));
  const whole = new Set<string>();
  const open = new Map<string, OpenTable>();
  /** Statements that stand before the one that makes a table. */
  const drops = new Map<string, string>();
  /** How often a table has ended. */
  const ends = new Map<string, number>();

  const isOver = (name: string): boolean => (ends.get(name) ?? 0) >= (described.get(name)?.exact ? 2 : 1);

  const handler = (inner: SectionHandler): SectionHandler => {
    const passOn = async (name: string, table: OpenTable): Promise<void> => {
      if (table.batch.length === 0) return;
      const rows = Buffer.concat(
        table.batch.flatMap((row, index) => [row, Buffer.from(index === table.batch.length - 1 ? ";\n" : ",\n")]),
      );
      const head = table.head ?? Buffer.alloc(0);
      table.digest.add(rows, table.batch.length, true);
      table.batch = [];
      table.batchLength = 0;
      if (!table.passedOn) {
        table.passedOn = true;
        for (const sql of table.make) await inner.structure?.(name, sql, "make");
        if ((ends.get(name) ?? 0) > 0) await inner.tableEnds?.(name); // its first part held no rows
      }
      await inner.rows?.(name, head, false);
      await inner.rows?.(name, rows, true);
    };

    const beginStatement = (table: OpenTable, head: Buffer): void => {
      // Each row on a line of its own, as in statements of ours.
      table.head = Buffer.from(`${head.toString("latin1").trimEnd()}\n`, "latin1");
      const named = namesInHead(head).map((column) => column.toLowerCase());
      const columns = named.length > 0 ? named : table.columns;
      const { anyOf, columns: more = [] } = table.wanted;
      table.places = [...anyOf.keys(), ...more].map((column) => columns.indexOf(column));
    };

    /** @param row with its comma or semicolon */
    const onRow = (table: OpenTable, row: Buffer): void => {
      const { anyOf, onRow: tell } = table.wanted;
      if (table.needles?.every((needle) => !row.includes(needle))) return;
      const literals = literalsAt(row, table.places);
      const values = literals.map((literal) => (literal ? literalValue(literal) : null));
      const isWanted = [...anyOf.values()].some((wanted, index) => wanted.has(values[index] ?? "\0"));
      if (!isWanted) return;
      tell?.(values.slice(anyOf.size));
      table.batch.push(Buffer.from(row.subarray(0, -1)));
      table.batchLength += row.length;
    };

    const onRows = async (name: string, table: OpenTable, chunk: Buffer, statementEnds: boolean): Promise<void> => {
      if (!table.head) return beginStatement(table, chunk);
      for (let at = 0; at < chunk.length; ) {
        const end = chunk.indexOf(newline, at);
        if (end < 0) {
          table.begun.push(Buffer.from(chunk.subarray(at)));
          break;
        }
        const rest = chunk.subarray(at, end);
        const row = table.begun.length > 0 ? Buffer.concat([...table.begun, rest]) : rest;
        table.begun = [];
        at = end + 1;
        onRow(table, row);
        if (table.batchLength >= batchBytes) await passOn(name, table);
      }
      if (!statementEnds) return;
      await passOn(name, table);
      table.head = undefined;
    };

    return {
      structure: async (name, sql, does) => {
        if (does === "session") return;
        if (whole.has(name)) return inner.structure?.(name, sql, does);
        if (!sql.startsWith("CREATE ")) {
          if (!open.has(name)) drops.set(name, sql);
          return;
        }
        const make = [...(drops.has(name) ? [drops.get(name) ?? ""] : []), sql];
        const columns = columnNames(sql).map((column) => column.toLowerCase());
        const wanted = part.select(name, columns);
        if (wanted === undefined) return;
        if (wanted === "all") {
          whole.add(name);
          for (const statement of make) await inner.structure?.(name, statement, does);
          return;
        }
        open.set(name, {
          wanted,
          make,
          columns,
          digest: rowsDigest(described.get(name)?.keyed ?? false),
          head: undefined,
          places: [],
          needles: needlesOf(wanted),
          begun: [],
          batch: [],
          batchLength: 0,
          passedOn: false,
        });
      },
      rows: (name, chunk, statementEnds) => {
        if (whole.has(name)) return inner.rows?.(name, chunk, statementEnds);
        const table = open.get(name);
        return table && onRows(name, table, chunk, statementEnds);
      },
      tableEnds: async (name) => {
        if (whole.has(name) || open.get(name)?.passedOn) await inner.tableEnds?.(name);
        ends.set(name, (ends.get(name) ?? 0) + 1);
      },
    };
  };

  const closed = (): readonly TakenTable[] => [
    ...[...whole].map((name) => ({ name })),
    ...[...open].flatMap(([name, { digest, passedOn }]) => {
      const { rows, byteLength } = digest;
      return passedOn ? [{ name, some: { rows, byteLength, sha256: digest.sha256() } }] : [];
    }),
  ];
  let taken: readonly TakenTable[] | undefined;
  return {
    handler,
    enough: () => part.only !== undefined && [...part.only].every(isOver),
    taken: () => (taken ??= closed()),
  };
};
