import type { TableColumn, TableDescription } from "@openemr-ops/exports/profiles/profile";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import type { FreshSchema } from "./database.ts";
import { runStatements } from "./runStatements.ts";

/** What is planted in a column: an identifier of a category of Safe Harbor, a secret, or nothing to be found. */
export type PlantedKind = "secret" | "none" | (string & {});

export interface Planted {
  readonly table: string;
  readonly column: string;
  readonly kind: PlantedKind;
  /** The text to look for, without regard to case. */
  readonly text: string;
}

/** A word that is nowhere else. */
const wordOf = (n: number): string => `xq${n.toString(36).padStart(4, "0")}zv`;
/** From 1971 on, when timestamps have begun. */
const dateOf = (n: number): string => new Date(Date.UTC(1971, 0, 1 + (n % 19_000))).toISOString().slice(0, 10);
const digitsOf = (n: number, length: number): string => String(n).padStart(length, "0");

const textOf = (kind: PlantedKind, n: number): string => {
  const word = wordOf(n);
  const digits = digitsOf(n, 7);
  switch (kind) {
    case "secret":
      return `canary-${word}`;
    case "names":
      return word;
    case "dates":
      return dateOf(n);
    case "phone":
    case "fax":
      return `(555) ${digits.slice(0, 3)}-${digits.slice(3)}`;
    case "email":
      return `${word}@planted.example`;
    case "ssn":
      return `9${digits.slice(0, 2)}-${digits.slice(2, 4)}-${digits.slice(3)}`;
    case "geographic":
      return `${n} ${word} Street`;
    case "zip":
      return `9950${n % 10}-${digits.slice(3)}`;
    case "url":
      return `https://${word}.example/x`;
    case "ip_address":
      return `203.0.${n % 256}.${Math.floor(n / 256) % 256}`;
    case "free_text":
      return `seen with ${word} on ${dateOf(n)}, call 555-${digits}`;
    default:
      return `MRN-${word}`;
  }
};

interface Value {
  readonly sql: string;
  /** Not set where nothing that is long enough to be recognized fits. */
  readonly text?: string;
}

const plain = (type: string, row: number): Value => {
  if (/^date|^timestamp/.test(type)) return { sql: "'2001-02-03'" };
  if (type === "time") return { sql: "'00:00:01'" };
  return { sql: /char|text/.test(type) ? `'c${row}'` : String(row) };
};

const lengthOf = (columnType: string): number => Number(/\((\d+)\)/.exec(columnType)?.[1] ?? 200);

const plantedValue = ({ dataType, columnType }: TableColumn, kind: PlantedKind, n: number, row: number): Value => {
  if (kind === "none") return plain(dataType, row);
  if (/^date|^timestamp/.test(dataType)) {
    return { sql: `'${dateOf(n)}'`, text: dateOf(n) };
  }
  if (dataType === "time") {
    const text = `13:${digitsOf(n % 60, 2)}:${digitsOf(Math.floor(n / 60) % 60, 2)}`;
    return { sql: `'${text}'`, text };
  }
  if (/binary|blob/.test(dataType)) {
    const text = `ff${Buffer.from(`${wordOf(n)}-bytes0`).toString("hex")}`;
    return { sql: `X'${text}'`, text };
  }
  if (/^(?:int|bigint|mediumint)$/.test(dataType)) {
    const text = String(dataType === "mediumint" ? 7_000_000 + n : 700_000_000 + n * 13);
    return { sql: text, text };
  }
  if (!/char|text/.test(dataType)) return plain(dataType, row);
  const length = lengthOf(columnType);
  const whole = textOf(kind, n);
  const text = whole.length <= length ? whole : wordOf(n).slice(0, length);
  return { sql: sqlString(text), ...(text.length >= 6 ? { text } : {}) };
};

/**
 * Adds rows to each table, every value of which can be found again: identifiers of the kind that a column is for, and secrets
 * where secrets are kept.
 *
 * @param kindOf what to plant in a column
 */
export const plantIdentifiers = async (
  schema: FreshSchema,
  tables: readonly TableDescription[],
  kindOf: (table: string, column: string) => PlantedKind,
  rows = 6,
): Promise<readonly Planted[]> => {
  const planted: Planted[] = [];
  const statements: string[] = [];
  let n = 0;
  for (const { name: table, columns } of tables) {
    const lines = Array.from({ length: rows }, (_, row) => {
      const cells = columns.map((column) => {
        n += 1;
        const kind = kindOf(table, column.name);
        const { sql, text } = plantedValue(column, kind, n, row + 1);
        if (text !== undefined) planted.push({ table, column: column.name, kind, text });
        return sql;
      });
      return `(${cells.join(",")})`;
    });
    const names = columns.map(({ name }) => sqlName(name)).join(",");
    statements.push(`INSERT IGNORE INTO ${sqlName(table)} (${names}) VALUES ${lines.join(",")}`);
  }
  await runStatements(schema, schema.name, statements);
  return planted;
};
