import { createHash, hash } from "node:crypto";
import { DatabaseDumpFailedError } from "@openemr-ops/core/errors";
import { rowsReader } from "./acceptedRows.ts";
import { type StructureStatement, structureStatement } from "./acceptedStructure.ts";
import { jsonColumns } from "./deferredKeys.ts";
import { unquoteName } from "./identifiers.ts";
import { type JsonNumbers, jsonNumbers } from "./jsonNumbers.ts";
import { type RowsDigest, rowsDigest } from "./rowsDigest.ts";

/** Our marks in the stream: everything after the first one is programs, or rows that we wrote ourselves. */
export const sectionMark = "-- openemr-ops section: ";
/** Last line of a whole stream; without it the stream was cut. */
export const endMark = "-- openemr-ops end of dump\n";
/** Sections behind the tables, in the order in which they load. */
export const programSections = ["routines", "triggers", "views", "events"] as const;
export type ProgramSection = (typeof programSections)[number];

export interface TableDigest {
  readonly name: string;
  readonly rows: number;
  /** Bytes of the rows as SQL. */
  readonly byteLength: number;
  /** Of the rows as SQL, however they are batched into statements: in stream order, or order-free for tables without a primary key. */
  readonly sha256: string;
  /** The same with each number in JSON written one way, where MySQL has such a column: a copy has other texts for some. */
  readonly meaningSha256?: string;
  /** Of the CREATE TABLE statement less its AUTO_INCREMENT, with the settings around it. */
  readonly structureSha256: string;
  /** The same as each release of mariadb-dump would have put it. */
  readonly structureForms: readonly string[];
}

export interface ProgramDigest {
  readonly section: ProgramSection;
  readonly byteLength: number;
  readonly sha256: string;
}

export interface StreamDigest {
  readonly byteLength: number;
  readonly tables: readonly TableDigest[];
  readonly programs: readonly ProgramDigest[];
  /**
   * What earlier releases took for the rows of a table whose INSERT statements name their columns: all but those on the
   * line of INSERT itself. For manifests without a `rowRule`.
   */
  readonly withoutFirstRows: ReadonlyMap<string, Pick<TableDigest, "rows" | "byteLength" | "sha256">>;
  /** Longest single statement in bytes: the target's `max_allowed_packet` must be larger. */
  readonly largestStatement: number;
  /** Whether the end mark was there. */
  readonly complete: boolean;
}

/** What the scanner says while bytes pass. Slices are only valid during the call. */
export interface SectionHandler {
  /** A table's statements other than rows, such as CREATE TABLE; each is one that the grammar takes. */
  structure?(table: string, sql: string, does: StructureStatement): Promise<void> | undefined;
  /** Bytes of a table's INSERT statements; `statementEnds` after the last byte of one. */
  rows?(table: string, chunk: Buffer, statementEnds: boolean): Promise<void> | undefined;
  tableEnds?(table: string): Promise<void> | undefined;
  /** Text of a section behind the tables. */
  program?(section: ProgramSection, chunk: Buffer): Promise<void> | undefined;
}

export interface SqlScanner {
  push(chunk: Buffer): Promise<void>;
  /** The table under way, for messages. */
  table(): string | undefined;
  rows(): number;
  finish(): StreamDigest;
}

const newline = 10;
const semicolon = 59;
const openParenthesis = 40;
/** Of a line that is gathered, or of a statement over several: what a string of JavaScript can hold. */
const longestText = 500_000_000;

const quotedName = /`(?:[^`\n]|``)+`/.source;
/** Where mariadb-dump names the columns, the first row is on the same line; where it does not, and in ours, on the next. */
const insertHead = new RegExp(
  `^INSERT INTO (${quotedName})(?: \\(${quotedName}(?:, ?${quotedName})*\\))? VALUES(?:\\n| (?=\\())`,
);
const insertBegins = Buffer.from("INSERT INTO ");
/** A table has up to 4096 columns, a name up to 64 characters of three bytes. */
const longestHead = 2 ** 20;

const structureText = (sql: string): string => sql.replace(/ AUTO_INCREMENT=\d+/g, "");

/** What mariadb-dump puts around a table's rows since 11.5. */
const commits = "SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;\nCOMMIT;\nSET AUTOCOMMIT=@OLD_AUTOCOMMIT;\n";

const formsOf = (text: string): readonly string[] => {
  const bare = commits.split(/(?<=\n)/).reduce((rest, line) => rest.replace(line, ""), text);
  return [bare, bare + commits].map((form) => hash("sha256", Buffer.from(form, "latin1")));
};

const fromLatin1 = (text = ""): string => Buffer.from(text, "latin1").toString();

interface OpenTable {
  readonly name: string;
  structure: string;
  readonly rows: RowsDigest;
  /** Without those on the line of INSERT. */
  otherRows?: RowsDigest;
  /** By name, in order, whether it is of MySQL's type JSON. */
  columns: ReadonlyMap<string, boolean>;
  /** With numbers in JSON written one way. */
  meaning?: { readonly rows: RowsDigest; numbers: JsonNumbers };
}

/** Names of columns behind that of the table, of an INSERT statement up to its first row; or none. */
export const namesInHead = (head: Buffer): readonly string[] =>
  [...head.toString("latin1").matchAll(new RegExp(quotedName, "g"))]
    .slice(1)
    .map(([name]) => unquoteName(fromLatin1(name)) ?? "");

const figuresOf = (rows: RowsDigest) => ({
  rows: rows.rows,
  byteLength: rows.byteLength,
  sha256: rows.sha256(),
});

/**
 * Follows a dump stream while it flows: which table each byte belongs to, how many rows it has, what their digest is.
 *
 * It relies on the form that mariadb-dump gives a stream: every row ends its line with a comma or, at the end of a
 * statement, a semicolon, and begins one too, or stands behind the head of its INSERT; no raw newline within a value
 * (escaped) or a name (refused before).
 *
 * What it hands on it has read whole: the statements of a table's part are those that make the announced table, and
 * literal rows for it. Anything else ends the stream with an error before a byte of it is handed on. Sections of programs
 * it cuts out and leaves to `programStatements`.
 *
 * @param keyed says whether a table has a primary key, so that its rows come in an order that means something
 * @param refusal the error for a stream that is none of ours; the message names table and place, never the text
 */
export const sqlScanner = (
  keyed: (table: string) => boolean,
  handler: SectionHandler = {},
  refusal: (message: string) => Error = (message) => new DatabaseDumpFailedError(message),
): SqlScanner => {
  const tables = new Map<string, OpenTable>();
  const programs = new Map<ProgramSection, { byteLength: number; digest: ReturnType<typeof createHash> }>();
  let current: OpenTable | undefined;
  let section: ProgramSection | undefined;
  let unfinished = ""; // lines of a statement that goes on
  let inRows = false;
  let line: Buffer[] = []; // start of a line that is no row, until its newline comes
  let lineLength = 0;
  let inRow = false; // its newline has not come
  let onHeadsLine = false; // the row is on the line of INSERT
  let lastByte: number | undefined; // of the rows so far
  let byteLength = 0;
  let totalRows = 0;
  let statement = 0;
  let largestStatement = 0;
  let complete = false;
  let exactRows = false; // the section of that name has begun
  const grammar = rowsReader();

  const refuse = (why: string): never => {
    const where = current ? ` of table ${current.name}` : section ? ` among ${section}` : "";
    throw refusal(`the dump holds a statement that is not taken${where}, about byte ${byteLength}: ${why}`);
  };

  const open = (name: string): OpenTable => {
    const known = tables.get(name);
    if (known) return known;
    const table: OpenTable = { name, structure: "", rows: rowsDigest(keyed(name)), columns: new Map() };
    tables.set(name, table);
    return table;
  };

  const leave = async (): Promise<void> => {
    const table = current;
    current = undefined;
    inRows = false;
    if (table) await handler.tableEnds?.(table.name);
  };

  const enter = async (name: string | undefined, what: string): Promise<void> => {
    if (name === undefined) throw refusal(`the dump has a heading that cannot be read: ${what}`);
    if (current?.name === name) return;
    await leave();
    current = open(name);
  };

  /** A line that begins one of our sections. */
  const enterSection = async (name: string): Promise<void> => {
    await leave();
    const next = programSections.find((known) => known === name);
    const order = section ? programSections.indexOf(section) : -1;
    if (next ? programSections.indexOf(next) <= order : name !== "exact rows" || exactRows || section)
      refuse("a section is unknown, or out of its order");
    exactRows ||= !next;
    section = next;
    if (next) programs.set(next, { byteLength: 0, digest: createHash("sha256") });
  };

  /** A statement that ends with this line, of a table's part or between tables. */
  const onStatement = async (sql: string, name: string): Promise<void> => {
    const [bytes, latin1Name] = [sql, name].map((text) => Buffer.from(text).toString("latin1"));
    const read = structureStatement(bytes ?? "", latin1Name ?? "");
    if ("refused" in read) return refuse(read.refused);
    if (current && read.does === "make") current.columns = jsonColumns(sql);
    if (current) await handler.structure?.(name, sql, read.does);
    else if (read.does !== "session") refuse("it belongs to no table");
  };

  /** Where this line begins an INSERT statement: all before its first row, or nothing as long as that has not come. */
  const headOf = (begun: Buffer, whole: boolean): Buffer | undefined => {
    const [head] = insertHead.exec(begun.toString("latin1", 0, longestHead)) ?? [];
    if (head !== undefined) return begun.subarray(0, head.length);
    if (whole || begun.length > longestHead) refuse("it does not begin as rows do");
    return undefined;
  };

  const onInsert = async (head: Buffer): Promise<void> => {
    const table = current;
    const [, written] = insertHead.exec(`${head.toString("latin1")}(`) ?? [];
    if (!table || unquoteName(fromLatin1(written)) !== table.name)
      return refuse("rows for another table than was announced");
    inRows = true;
    onHeadsLine = head.at(-1) !== newline;
    if (onHeadsLine) table.otherRows ??= rowsDigest(keyed(table.name));
    if ([...table.columns.values()].includes(true)) {
      const named = namesInHead(head);
      const names = named.length > 0 ? named : [...table.columns.keys()];
      const numbers = jsonNumbers(names.map((column) => table.columns.get(column) ?? false));
      table.meaning = { rows: table.meaning?.rows ?? rowsDigest(keyed(table.name)), numbers };
    }
    statement = head.length;
    await handler.rows?.(table.name, head, false);
  };

  /** A whole line that is no row, newline included. */
  const onLine = async (bytes: Buffer): Promise<void> => {
    const text = bytes.toString("utf8");
    if (inRows) refuse("rows do not end"); // what follows a row's comma is a row
    if (complete) refuse("something follows the end mark");
    const between = section !== undefined || unfinished === "";
    if (between && text.startsWith(sectionMark)) return enterSection(text.slice(sectionMark.length).trim());
    if (between && text === endMark) {
      await leave();
      complete = true;
      return;
    }
    if (section) return onProgram(bytes); // each program in the character set that it was written in
    if (between && text.startsWith("-- ")) {
      const heading = /^-- (?:Table structure for table|Sequence structure for|Dumping data for table) (.*)\n$/.exec(
        text,
      );
      return heading ? enter(unquoteName(heading[1] ?? ""), text.trim()) : undefined;
    }
    if (between && (text === "\n" || text === "--\n")) return;
    const keysSwitched = /^\/\*!40000 ALTER TABLE .* (DISABLE|ENABLE) KEYS \*\/;\n$/.test(text);
    const last = /^\/\*!40103 SET TIME_ZONE=@OLD_TIME_ZONE/.test(text);
    if (current && !keysSwitched && !last) current.structure += bytes.toString("latin1"); // to digest each byte as it is
    unfinished += text;
    if (unfinished.length > longestText) refuse("it is longer than any of a dump");
    if (!text.endsWith(";\n")) return;
    const sql = unfinished;
    unfinished = "";
    if (last) await leave();
    await onStatement(sql, current?.name ?? "");
  };

  const onProgram = async (chunk: Buffer): Promise<void> => {
    const program = section && programs.get(section);
    if (!section || !program) return;
    program.byteLength += chunk.length;
    program.digest.update(chunk);
    await handler.program?.(section, chunk);
  };

  /** Reads rows from `offset`; returns where the first byte is that is no row's. */
  const readRows = async (chunk: Buffer, offset: number): Promise<number> => {
    const table = current;
    if (!table) return refuse("rows that belong to no table");
    let at = offset;
    let rows = 0;
    let ends = false; // the statement
    while (at < chunk.length && !ends && (inRow || chunk[at] === openParenthesis)) {
      const end = chunk.indexOf(newline, at);
      inRow = end < 0;
      at = inRow ? chunk.length : end + 1;
      if (inRow) break;
      rows++;
      ends = (end > offset ? chunk[end - 1] : lastByte) === semicolon;
      if (onHeadsLine) break;
    }
    const run = chunk.subarray(offset, at);
    if (!grammar.accepts(run) || grammar.ended() !== ends) refuse("a row holds something else than literal values");
    lastByte = run.at(-1);
    totalRows += rows;
    statement += run.length;
    table.rows.add(run, rows, ends);
    if (!onHeadsLine) table.otherRows?.add(run, rows, ends);
    table.meaning?.rows.add(table.meaning.numbers.take(run), rows, ends);
    if (rows > 0) onHeadsLine = false;
    if (ends) {
      inRows = false;
      largestStatement = Math.max(largestStatement, statement);
    }
    await handler.rows?.(table.name, run, ends);
    return at;
  };

  const push = async (chunk: Buffer): Promise<void> => {
    byteLength += chunk.length;
    let offset = 0;
    while (offset < chunk.length) {
      if (inRow || (inRows && line.length === 0 && chunk[offset] === openParenthesis)) {
        offset = await readRows(chunk, offset);
        continue;
      }
      const end = chunk.indexOf(newline, offset) + 1;
      const piece = chunk.subarray(offset, end || chunk.length);
      const short = lineLength < insertBegins.length;
      const start = short ? Buffer.concat([...line, piece]) : (line[0] ?? piece);
      const mayInsert = !section && !complete && !inRows && unfinished === "";
      if (mayInsert && start.subarray(0, insertBegins.length).equals(insertBegins)) {
        const head = headOf(Buffer.concat([...line, piece]), end > 0);
        if (head) {
          offset += head.length - lineLength;
          line = [];
          lineLength = 0;
          await onInsert(head);
          continue;
        }
      }
      offset += piece.length;
      lineLength += piece.length;
      if (lineLength > longestText) refuse("a line is longer than any of a dump");
      if (end === 0) {
        if (short) line = [start];
        else line.push(Buffer.from(piece));
        continue;
      }
      const whole = line.length > 0 ? Buffer.concat([...line, piece]) : piece;
      line = [];
      lineLength = 0;
      await onLine(whole);
    }
  };

  return {
    push,
    table: () => current?.name,
    rows: () => totalRows,
    finish: () => ({
      byteLength,
      largestStatement,
      complete,
      tables: [...tables.values()].map(({ name, rows, meaning, structure }) => {
        const text = structureText(structure);
        return {
          name,
          ...figuresOf(rows),
          ...(meaning ? { meaningSha256: meaning.rows.sha256() } : {}),
          structureSha256: hash("sha256", Buffer.from(text, "latin1")),
          structureForms: formsOf(text),
        };
      }),
      withoutFirstRows: new Map(
        [...tables.values()].flatMap(({ name, otherRows }) =>
          otherRows ? [[name, figuresOf(otherRows)] as const] : [],
        ),
      ),
      programs: [...programs].map(([name, { byteLength: length, digest }]) => ({
        section: name,
        byteLength: length,
        sha256: digest.digest("hex"),
      })),
    }),
  };
};
