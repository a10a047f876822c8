import { Readable } from "node:stream";
import { UnexpectedError } from "@openemr-ops/core/errors";
import type mysql from "mysql2/promise";
import { sqlName } from "../servers/databaseServer.ts";
import type { EstateContents } from "./plan.ts";
import type { EstateTable } from "./table.ts";
import type { Cell } from "./values.ts";

const special = /[\\\t\n\0]/;
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\0": "\\0" };
const field = (cell: Cell): string => {
  if (cell === null) return "\\N";
  if (typeof cell === "number") return `${cell}`;
  if (typeof cell !== "string") return cell.toString("hex");
  return special.test(cell) ? cell.replace(/[\\\t\n\0]/g, (character) => escapes[character] ?? character) : cell;
};

const chunkLength = 256 * 1024;

/** Lines for LOAD DATA, in chunks; counts the rows that went by. */
function* linesOf(rows: Iterable<readonly Cell[]>, counted: (rows: number) => void): Generator<Buffer> {
  let text = "";
  let count = 0;
  for (const row of rows) {
    text += `${row.map(field).join("\t")}\n`;
    count++;
    if (text.length > chunkLength) {
      yield Buffer.from(text);
      text = "";
    }
  }
  if (text !== "") yield Buffer.from(text);
  counted(count);
}

/** Binary columns travel as hex digits; all others as text. */
const loadStatement = ({ name, columns }: EstateTable): string => {
  const isBinary = (type: string): boolean => /^(?:binary|varbinary|(?:tiny|medium|long)?blob)\b/.test(type);
  const variables = columns.map(({ name: column, type }, index) => ({ column, type, variable: `@c${index}` }));
  const targets = variables.map(({ column, type, variable }) => (isBinary(type) ? variable : sqlName(column)));
  const assignments = variables
    .filter(({ type }) => isBinary(type))
    .map(({ column, variable }) => `${sqlName(column)} = UNHEX(${variable})`);
  const set = assignments.length > 0 ? ` SET ${assignments.join(", ")}` : "";
  return `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${sqlName(name)} CHARACTER SET utf8mb4 (${targets.join(", ")})${set}`;
};

/**
 * Creates the table and streams its rows in; memory stays small whatever the size. The connection's own settings (no strict
 * mode, keys unchecked) are the caller's.
 *
 * @returns how many rows there are
 * @throws {UnexpectedError} fatal: a value does not fit its column, a defect of `tables.sql`
 */
export const loadTable = async (
  connection: mysql.Connection,
  table: EstateTable,
  contents: EstateContents,
): Promise<number> => {
  await connection.query(table.createStatement);
  let rows = 0;
  const lines = linesOf(table.rows(contents), (count) => {
    rows = count;
  });
  const [result] = await connection.query<mysql.ResultSetHeader>({
    sql: loadStatement(table),
    infileStreamFactory: () => Readable.from(lines, { objectMode: true, highWaterMark: 4 }),
  });
  // A cut or changed value would make the estate differ from its plan unnoticed.
  if (result.warningStatus > 0)
    throw new UnexpectedError(`the server changed values while loading table ${table.name}`);
  return rows;
};
