import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import type { FreshSchema } from "./database.ts";
import type { ComparableRow } from "./readByOthers.ts";

interface Column {
  readonly name: string;
  readonly type: string;
  /** Digits of a number in all. */
  readonly digits: number | null;
  /** Of these, decimals, where the type names them. */
  readonly scale: number | null;
}

/** Decimals that are longer are text. */
const longestDecimal = 38;

const isText = /^(?:char|varchar|tinytext|text|mediumtext|longtext|enum|set|json|uuid|inet4|inet6)$/;
const isBytes =
  /^(?:binary|varbinary|tinyblob|blob|mediumblob|longblob|geometry|point|linestring|polygon|geometrycollection|geomcollection)$/;

/** What is asked of the server: texts and bytes as hexadecimal digits, everything else as it prints it. */
const asked = ({ name, type }: Column): string => {
  const column = sqlName(name);
  if (isText.test(type)) return `HEX(CONVERT(${type === "json" ? `CAST(${column} AS CHAR)` : column} USING utf8mb4))`;
  if (isBytes.test(type)) return `HEX(${column})`;
  if (type === "float") return `${column}+0e0`;
  return type === "bit" ? `${column}+0` : `CAST(${column} AS CHAR)`;
};

const daysIn = (year: number, month: number): number => {
  const last = new Date(0);
  last.setUTCFullYear(year, month, 0);
  return last.getUTCDate();
};

/** Milliseconds since 1970 of midnight; none of a day that does not exist. */
const midnight = (date: string): number | undefined => {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  if (year === 0 || month === 0 || day === 0 || day > daysIn(year, month)) return undefined;
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  return moment.getTime();
};

const micros = (clock: string): bigint => {
  const [, sign, hours, minutes, seconds, fraction = ""] = /^(-?)(\d+):(\d+):(\d+)(?:\.(\d+))?$/.exec(clock) ?? [];
  const whole = (BigInt(hours ?? 0) * 60n + BigInt(minutes ?? 0)) * 60n + BigInt(seconds ?? 0);
  const all = whole * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  return sign === "-" ? -all : all;
};

const floatBytes = (text: string, write: (bytes: Buffer, value: number) => void, length: number): string => {
  const bytes = Buffer.alloc(length);
  write(bytes, Number(text));
  return bytes.toString("hex");
};

/** What the server keeps of a number with so many decimals, and prints shorter: -0.044 is kept as -1 and 0.956. */
const keptDouble = (printed: number, scale: number): number => {
  const whole = Math.floor(printed);
  return Object.is(printed, -0) ? printed : whole + Math.round((printed - whole) * 10 ** scale) / 10 ** scale;
};

const comparable = ({ type, digits, scale }: Column, text: string): string | null => {
  if (isText.test(type) || isBytes.test(type)) return text.toLowerCase();
  if (type === "float") return floatBytes(text, (bytes, value) => bytes.writeFloatLE(value), 4);
  if (type === "double") {
    const kept = (value: number) => (scale === null ? value : keptDouble(value, scale));
    return floatBytes(text, (bytes, value) => bytes.writeDoubleLE(kept(value)), 8);
  }
  if (type === "time") return `${micros(text)}`;
  if (type === "date") {
    const found = midnight(text);
    return found === undefined ? null : `${found / 86_400_000}`;
  }
  if (type === "datetime" || type === "timestamp") {
    const [date = "", clock = ""] = text.split(" ");
    const found = midnight(date);
    return found === undefined ? null : `${BigInt(found) * 1000n + micros(clock)}`;
  }
  if (type === "decimal" && (digits ?? 0) > longestDecimal) return Buffer.from(text).toString("hex");
  if (type === "decimal") return text.replace(/^(-?)0*(?=\d)/, "$1");
  return text.replace(/^0+(?=\d)/, ""); // ZEROFILL
};

/** Rows of a table as the server's own functions print them, in the forms of `readByOthers`; a date that is none is NULL. */
export const sourceValues = async (schema: FreshSchema, table: string): Promise<readonly ComparableRow[]> => {
  const columns = (await schema.query(
    "SELECT COLUMN_NAME AS name, LOWER(DATA_TYPE) AS type, NUMERIC_PRECISION AS digits, NUMERIC_SCALE AS scale FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
    [schema.name, table],
  )) as unknown as readonly Column[];
  const list = columns.map((column, index) => `CAST(${asked(column)} AS CHAR) AS c${index}`).join(",");
  const rows = await schema.query(`SELECT ${list} FROM ${sqlName(table)}`);
  return rows.map((row) =>
    columns.map((column, index) => {
      const value = row[`c${index}`];
      return value === null ? null : comparable(column, String(value));
    }),
  );
};
