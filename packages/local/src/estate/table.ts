import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EstateContents } from "./plan.ts";
import { type Item, itemsFor } from "./sources.ts";
import { type Cell, type Draw, readValue } from "./values.ts";

/** One table of the miniature hospital: its shape, and the rows that a plan puts there. */
export interface EstateTable {
  readonly name: string;
  /** As a server takes it. */
  readonly createStatement: string;
  /** Name and type of each column, in the order of the cells. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: (contents: EstateContents) => Iterable<readonly Cell[]>;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly value: Draw;
}

/** Values of a row are drawn in this order: each draw moves the table's sequence on. */
const drawOrder = (columns: readonly Column[], first: readonly string[]): readonly Column[] => [
  ...first.flatMap((name) => columns.filter((column) => column.name === name)),
  ...columns.filter(({ name }) => !first.includes(name)),
];

function* rowsOf(
  { name, columns, drawn }: { name: string; columns: readonly Column[]; drawn: readonly Column[] },
  items: readonly Item[],
  contents: EstateContents,
): Generator<readonly Cell[]> {
  const random = contents.random(name);
  for (const [index, item] of items.entries()) {
    const cells: Record<string, Cell> = {};
    const row = { item, n: index + 1, of: items.length, random, contents, cells };
    for (const column of drawn) cells[column.name] = column.value(row);
    yield columns.map((column) => cells[column.name] ?? null);
  }
}

const isKey = (line: string): boolean => /^ {2}(?:PRIMARY |UNIQUE )?KEY |^ {2}CONSTRAINT /.test(line);

const readColumn = (line: string): Column => {
  const [, quoted, plain = quoted, type = "", value = "null"] =
    /^ {2}(?:`([^`]+)`|(\w+)) (.*?),?(?: +-- (.*))?$/.exec(line) ?? [];
  if (plain === undefined) throw new TypeError(`tables.sql: no column: ${line}`);
  return { name: plain, type, value: readValue(value) };
};

const readTable = (createStatement: string): EstateTable => {
  const [head = "", ...lines] = createStatement.split("\n");
  const [, name, source, first = ""] =
    /^CREATE TABLE `?(\w+)`? \( -- each (\w+)(?:, first ([\w ]+))?$/.exec(head) ?? [];
  if (name === undefined || source === undefined) throw new TypeError(`tables.sql: no table: ${head}`);
  const columns = lines.filter((line) => /^ {2}/.test(line) && !isKey(line)).map(readColumn);
  const drawn = drawOrder(columns, first.split(" "));
  return {
    name,
    createStatement,
    columns,
    rows: (contents) => rowsOf({ name, columns, drawn }, itemsFor(source, contents), contents),
  };
};

/** Every table of the estate; a table comes after those that its foreign keys name. */
export const estateTables: readonly EstateTable[] = Array.from(
  readFileSync(join(import.meta.dirname, "tables.sql"), "utf8").matchAll(/^CREATE TABLE .*?^\)[^;\n]*/gms),
  ([statement]) => readTable(statement),
);
