import { type ServerAddress, sqlName } from "@openemr-ops/local/servers/databaseServer";
import fc from "fast-check";
import { columnTypes } from "./columnTypes.ts";
import type { FreshSchema } from "./database.ts";
import { runStatements } from "./runStatements.ts";

/** A column as information_schema describes it. */
interface Column {
  readonly name: string;
  /** Such as `varchar`. */
  readonly type: string;
  /** Such as `varchar(60)` or `enum('a','b')`. */
  readonly full: string;
  readonly length: number | null;
  readonly charset: string | null;
  readonly nullable: boolean;
}

const valuesOf = (type: string): fc.Arbitrary<string> => {
  const known = columnTypes.find((column) => column.type === type);
  if (!known) throw new Error(`no values for a column of type ${type}`);
  return known.values;
};

/** Texts of at most so many characters. The server cuts what is longer, as it does for OpenEMR. */
const textsFor = ({ length, charset }: Column): fc.Arbitrary<string> => {
  const texts = valuesOf(
    charset === "latin1"
      ? "text character set latin1"
      : charset === "utf8mb3"
        ? "varchar(60) character set utf8mb3"
        : "text",
  );
  return length !== null && length < 200 ? texts.map((text) => `LEFT(${text}, ${length})`) : texts;
};

const membersOf = (full: string): number => full.match(/'(?:[^']|'')*'/g)?.length ?? 1;

const arbitraryFor = (column: Column): fc.Arbitrary<string> => {
  const { type, full, length } = column;
  const unsigned = full.includes("unsigned") ? " unsigned" : "";
  if (/^(?:tiny|small|medium|big)?int$/.test(type)) return valuesOf(`${type}${unsigned}`);
  if (/char$|text$/.test(type)) return textsFor(column);
  if (/binary$|blob$/.test(type)) return valuesOf("varbinary(300)").map((value) => `LEFT(${value}, ${length ?? 300})`);
  if (type === "enum") return fc.integer({ min: 1, max: membersOf(full) }).map(String);
  if (type === "set") return fc.nat(2 ** Math.min(30, membersOf(full)) - 1).map(String);
  if (type === "decimal") return valuesOf("decimal(10,0)");
  return valuesOf(type);
};

const columnsOf = async (schema: FreshSchema): Promise<ReadonlyMap<string, readonly Column[]>> => {
  const rows = await schema.query(
    `SELECT c.TABLE_NAME AS t, COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS full, CHARACTER_MAXIMUM_LENGTH AS length,
       CHARACTER_SET_NAME AS charset, IS_NULLABLE AS nullable
     FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
     WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND GENERATION_EXPRESSION IS NULL
     ORDER BY c.TABLE_NAME, ORDINAL_POSITION`,
    [schema.name],
  );
  return new Map(
    [...Map.groupBy(rows, (row) => String(row.t))].map(([table, columns]) => [
      table,
      columns.map((row) => ({
        name: String(row.name),
        type: String(row.type),
        full: String(row.full),
        length: row.length === null ? null : Number(row.length),
        charset: row.charset === null ? null : String(row.charset),
        nullable: row.nullable === "YES",
      })),
    ]),
  );
};

/**
 * Adds rows to every table of a schema, whatever its columns, as if OpenEMR had been at it for years: extremes, zero dates,
 * awkward texts, NULL where it may be. Rows that break a unique key are passed over, foreign keys are not looked at.
 *
 * @param seed the same one gives the same rows
 */
export const fillTables = async (schema: FreshSchema & ServerAddress, seed: number, rows = 15): Promise<void> => {
  const statements: string[] = [];
  for (const [table, columns] of await columnsOf(schema)) {
    const row = fc.tuple(
      ...columns.map((column) => {
        const values = arbitraryFor(column);
        return column.nullable ? fc.option(values, { nil: "NULL", freq: 6 }) : values;
      }),
    );
    const values = fc.sample(row, { numRuns: rows, seed }).map((cells) => `(${cells.join(",")})`);
    const names = columns.map(({ name }) => sqlName(name)).join(",");
    statements.push(`INSERT IGNORE INTO ${sqlName(table)} (${names}) VALUES ${values.join(",")}`);
  }
  await runStatements(schema, schema.name, statements);
};
