import { createHash } from "node:crypto";
import { documentUrl } from "./documents.ts";
import type { EstateContents } from "./plan.ts";
import type { Random } from "./random.ts";
import { type Item, userCount } from "./sources.ts";
import { momentOf, nameOf, phraseOf, sqlDate, sqlTime, textOf } from "./words.ts";

/** A value for one column; bytes go into binary columns. */
export type Cell = string | number | null | Buffer;

/** What a value can depend on. */
export interface Row {
  readonly item: Item;
  /** The row's number, from 1, and the number of rows. */
  readonly n: number;
  readonly of: number;
  /** The table's own sequence. */
  readonly random: Random;
  readonly contents: EstateContents;
  /** The values that this row has already, by column. */
  readonly cells: Readonly<Record<string, Cell>>;
}

export type Draw = (row: Row) => Cell;

const fieldOf = (item: Item, field: string): unknown => Reflect.get(Object(item), field);
const digits = (number: number, count: number): string => String(number).padStart(count, "0");

/** Values without arguments, by name. */
const draws: Readonly<Record<string, Draw>> = {
  n: ({ n }) => n,
  patient: ({ random, contents }) => 1 + random.int(contents.size.patients),
  user: ({ random }) => 1 + random.int(userCount),
  name: ({ random }) => nameOf(random),
  phrase: ({ random }) => phraseOf(random),
  /** The estate's years, passing from the first row to the last. */
  passing: ({ n, of }) => sqlTime(momentOf(n / of)),
  someTime: ({ random }) => sqlTime(momentOf(random.next())),
  birthDate: ({ random }) =>
    random.chance(0.01) ? "0000-00-00" : sqlDate(new Date(Date.UTC(1925, 0, 1) + random.int(36_000) * 86_400_000)),
  /** A hash of the shape that PHP writes; no password belongs to it. */
  passwordHash: ({ random }) =>
    `$2y$10$${random.bytes(40).toString("base64").replaceAll("+", ".").replaceAll("=", "a").slice(0, 53)}`,
  wideFloat: ({ random }) => Math.fround(random.next() * 10 ** random.int(6)),
  formText: ({ random, item }) => textOf(random, fieldOf(item, "field") === "summary" ? 6 : 1),
  documentCategory: ({ item }) => 2 + (Number(fieldOf(item, "id")) % 5),
  lastNumber: ({ contents: { encounters, size } }) => encounters + size.documents,
  settingValue: ({ item, random, contents }) => {
    const value = fieldOf(item, "value");
    return typeof value === "function" ? contents.sealValue(value(random), random) : String(value);
  },
  loggedStatement: ({ random, cells }) => {
    const where = `SET note = '${phraseOf(random)}', score = ${random.int(1e6)} WHERE id = ${random.int(1e6)}`;
    return Buffer.from(`UPDATE ${cells.category} ${where}`).toString("base64");
  },
};

/** What stands between a maker's brackets: a literal, or another value. */
type Argument = Cell | Draw;

const cellOf = (argument: Argument, row: Row): Cell => (typeof argument === "function" ? argument(row) : argument);

/** Values with arguments, by name. */
const makers: Readonly<Record<string, (...given: readonly Argument[]) => Draw>> = {
  /** A field of what the row is for. */
  item: (field) => (row) => {
    const value = fieldOf(row.item, String(field));
    if (value instanceof Date) return sqlTime(value);
    if (typeof value === "boolean") return value ? 1 : 0;
    return typeof value === "string" || typeof value === "number" || Buffer.isBuffer(value) ? value : null;
  },
  /** The value of a column that was drawn before. */
  same: (column) => (row) => row.cells[String(column)] ?? null,
  join:
    (...parts) =>
    (row) =>
      parts.map((part) => cellOf(part, row)).join(""),
  pick:
    (...choices) =>
    (row) =>
      cellOf(row.random.pick(choices), row),
  chance:
    (probability, value, otherwise = null) =>
    (row) =>
      cellOf(row.random.chance(Number(probability)) ? value : otherwise, row),
  /** A whole number of so many, from the second argument on. */
  int:
    (count, from = 0) =>
    (row) =>
      Number(from) + row.random.int(Number(count)),
  digits: (count) => (row) => digits(row.random.int(10 ** Number(count)), Number(count)),
  padded: (count) => (row) => digits(row.n, Number(count)),
  cents: (below) => (row) => (row.random.int(Number(below)) / 100).toFixed(2),
  /** As DECIMAL takes it: from the first argument on, below the sum of both. */
  decimal: (from, range) => (row) => (Number(from) + row.random.next() * Number(range)).toFixed(6),
  /** A value that FLOAT holds exactly and that six printed digits do not. */
  float: (scale) => (row) => Math.fround(row.random.next() * Number(scale)),
  bytes: (length, spread) => (row) =>
    row.random.bytes(Number(length) + (spread === undefined ? 0 : row.random.int(Number(spread)))),
  hex: (length) => (row) => row.random.bytes(Number(length)).toString("hex"),
  base64: (length) => (row) => row.random.bytes(Number(length)).toString("base64"),
  base64url: (length) => (row) => row.random.bytes(Number(length)).toString("base64url"),
  sealed: (value) => (row) => row.contents.sealValue(String(cellOf(value, row)), row.random),
  sentences: (count) => (row) => textOf(row.random, Number(count)),
  /** The same moment in all rows; 0 is the first day of the estate's years, 1 the last. */
  at: (position) => () => sqlTime(momentOf(Number(position))),
  day: (time) => (row) => String(cellOf(time, row)).slice(0, 10),
  md5: (value) => (row) => {
    const cell = cellOf(value, row);
    return createHash("md5")
      .update(Buffer.isBuffer(cell) ? cell : String(cell))
      .digest();
  },
  documentUrl: (path) => (row) => {
    const cell = cellOf(path, row);
    return cell === null ? null : documentUrl(String(cell));
  },
};

/**
 * Reads a value as `tables.sql` writes it: JSON's literals, names of values, and makers with arguments in brackets.
 *
 * @throws {TypeError} a name that is not known, or brackets that do not match
 */
export const readValue = (text: string): Draw => {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[\w.-]+|[(),]|\S/g) ?? [];
  const refuse = (token = "its end"): never => {
    throw new TypeError(`tables.sql: ${token} is not understood in ${text}`);
  };
  const read = (): Argument => {
    const token = tokens.shift();
    if (token === undefined || /^[(),]$/.test(token)) return refuse(token);
    if (/^["\d-]|^null$/.test(token)) return JSON.parse(token);
    if (tokens[0] !== "(") return draws[token] ?? refuse(token);
    const make = makers[token] ?? refuse(token);
    const given: Argument[] = [];
    for (let next = tokens.shift(); next !== ")"; next = tokens.shift()) {
      if (next !== (given.length === 0 ? "(" : ",")) return refuse(next);
      given.push(read());
    }
    return make(...given);
  };
  const value = read();
  if (tokens.length > 0) return refuse(tokens[0]);
  return typeof value === "function" ? value : () => value;
};
