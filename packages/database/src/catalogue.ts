import { hash } from "node:crypto";
import type { DatabaseConnection, Row } from "./connection.ts";
import type { Product } from "./describeSource.ts";
import { withoutOwnSchema } from "./ownSchema.ts";

/**
 * Digests of what a table is made of, as the server's own catalogue has it: effective values, however a server or a client
 * prints them. Counters, such as the next AUTO_INCREMENT, are none of it.
 */
export interface TableCatalogue {
  /** Columns, literal defaults, keys, foreign keys, collations, comments, engine: the same on MariaDB and MySQL. */
  readonly structure: string;
  /** Expressions, checks, partitions and storage options: each series of a server has its own words for them. */
  readonly details: string;
  /** The same without the character sets of literals in expressions, where there are any: MySQL changes them in a copy. */
  readonly meaning?: string;
}

const integerWidth = /^((?:tiny|small|medium|big)?int)\(\d+\)((?: unsigned)?)$/;
const sameType: Readonly<Record<string, string>> = {
  "year(4)": "year",
  json: "longtext", // what MariaDB makes of it
  geomcollection: "geometrycollection",
};

const typeOf = (type: string): string => sameType[type] ?? type.replace(integerWidth, "$1$2");

const collationOf = ({ type, collation }: Row): string | null =>
  type === "json" ? "utf8mb4_bin" : (collation?.replace(/^utf8_/, "utf8mb3_") ?? null);

/**
 * An expression of MySQL without the character sets of its literals. MySQL converts a literal to the column beside it, so
 * that of one table, made again by its own SHOW CREATE TABLE, the catalogue names others; the characters are the same.
 */
const withoutIntroducers = (expression: string): string => expression.replace(/(?<![\w$`])_[a-z0-9]+(?=\\')/g, "");

const now = /^current_timestamp(?:\((\d*)\))?$/i;
const timeOf = (text: string): string => `now(${now.exec(text)?.[1] ?? ""})`;

/** How a column gets a value that nobody gave: a literal, the time, or an expression of the server's own words. */
interface Default {
  readonly literal?: string;
  readonly expression?: string;
}

const unquoted = (literal: string): string =>
  literal.slice(1, -1).replace(/''|\\(.)/gs, (_, escaped?: string) => escaped ?? "'");

const defaultOf = ({ given, extra, type }: Row, product: Product): Default => {
  if (given === null || given === undefined) return {};
  if (/^(?:var)?binary\b/.test(type ?? "")) return { expression: given };
  if (product === "MySQL") {
    if (!/\bDEFAULT_GENERATED\b/.test(extra ?? "")) return { literal: given };
    return now.test(given) ? { literal: timeOf(given) } : { expression: given };
  }
  if (given === "NULL") return {};
  if (now.test(given)) return { literal: timeOf(given) };
  if (given.startsWith("'")) return { literal: unquoted(given) };
  return /^-?\d|^b'/.test(given) ? { literal: given } : { expression: given };
};

/** What both products say of a column, in the words of one. */
const traitsOf = (extra: string): readonly string[] => {
  const found: string[] = [];
  if (/auto_increment/i.test(extra)) found.push("auto_increment");
  if (/\bINVISIBLE\b/.test(extra)) found.push("invisible");
  if (/\b(STORED|PERSISTENT) GENERATED\b/.test(extra)) found.push("stored");
  if (/\bVIRTUAL GENERATED\b/.test(extra)) found.push("virtual");
  const update = /on update (current_timestamp(?:\(\d*\))?)/i.exec(extra)?.[1];
  if (update) found.push(`on update ${timeOf(update)}`);
  return found;
};

/** InnoDB knows no difference between the two. */
const ruleOf = (rule: string | null | undefined): string => (rule === "NO ACTION" ? "RESTRICT" : (rule ?? ""));

/** Aria's default is named only once it was given explicitly. */
const optionsOf = (options: string | null | undefined): readonly string[] =>
  (options ?? "").split(" ").filter((option) => option !== "page_checksum=1");

const tablesQuery = `SELECT TABLE_NAME AS t, TABLE_TYPE AS type, ENGINE AS engine, TABLE_COLLATION AS collation,
  TABLE_COMMENT AS comment, ROW_FORMAT AS format, CREATE_OPTIONS AS options
  FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?`;
const columnsQuery = `SELECT TABLE_NAME AS t, COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable,
  COLLATION_NAME AS collation, COLUMN_DEFAULT AS given, EXTRA AS extra, GENERATION_EXPRESSION AS generation,
  COLUMN_COMMENT AS comment FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`;
const keysQuery = (
  product: Product,
) => `SELECT TABLE_NAME AS t, INDEX_NAME AS name, NON_UNIQUE AS repeats, INDEX_TYPE AS type,
  INDEX_COMMENT AS comment, COLUMN_NAME AS c, SUB_PART AS length, COLLATION AS direction,
  ${product === "MySQL" ? "EXPRESSION AS expression, IS_VISIBLE AS used" : "NULL AS expression, IGNORED AS used"}
  FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`;
const foreignKeysQuery = `SELECT k.TABLE_NAME AS t, k.CONSTRAINT_NAME AS name, k.COLUMN_NAME AS c,
  IF(k.REFERENCED_TABLE_SCHEMA = k.TABLE_SCHEMA, '', k.REFERENCED_TABLE_SCHEMA) AS s, k.REFERENCED_TABLE_NAME AS other,
  k.REFERENCED_COLUMN_NAME AS oc, r.UPDATE_RULE AS onUpdate, r.DELETE_RULE AS onDelete
  FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
  ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
  WHERE k.TABLE_SCHEMA = ? AND r.CONSTRAINT_SCHEMA = k.TABLE_SCHEMA AND k.REFERENCED_TABLE_NAME IS NOT NULL
  ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;
const checksQuery = (product: Product) =>
  product === "MySQL"
    ? `SELECT t.TABLE_NAME AS t, t.CONSTRAINT_NAME AS name, t.ENFORCED AS level, c.CHECK_CLAUSE AS clause
  FROM information_schema.TABLE_CONSTRAINTS t JOIN information_schema.CHECK_CONSTRAINTS c
  ON c.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = t.CONSTRAINT_NAME
  WHERE t.TABLE_SCHEMA = ? AND t.CONSTRAINT_TYPE = 'CHECK' ORDER BY t.TABLE_NAME, t.CONSTRAINT_NAME`
    : `SELECT TABLE_NAME AS t, CONSTRAINT_NAME AS name, LEVEL AS level, CHECK_CLAUSE AS clause
  FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ? ORDER BY TABLE_NAME, CONSTRAINT_NAME`;
const partitionsQuery = `SELECT TABLE_NAME AS t, PARTITION_NAME AS name, SUBPARTITION_NAME AS sub, PARTITION_METHOD AS method,
  SUBPARTITION_METHOD AS submethod, PARTITION_EXPRESSION AS expression, SUBPARTITION_EXPRESSION AS subexpression,
  PARTITION_DESCRIPTION AS description, PARTITION_COMMENT AS comment FROM information_schema.PARTITIONS
  WHERE TABLE_SCHEMA = ? AND PARTITION_NAME IS NOT NULL
  ORDER BY TABLE_NAME, PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION`;

/** Servers list names in orders of their own: MariaDB puts `_` behind letters, MySQL before. This is MariaDB's. */
const byName = (rows: readonly Row[]): readonly Row[] => {
  const upper = (row: Row): string => (row.name ?? "").toUpperCase();
  return rows.toSorted((one, other) => (upper(one) < upper(other) ? -1 : upper(one) > upper(other) ? 1 : 0));
};

const digestOf = (value: unknown): string => hash("sha256", JSON.stringify(value));

/** Reads what each table of a schema is made of. Views have no entry. */
export const readCatalogue = async (
  connection: DatabaseConnection,
  schema: string,
  product: Product,
): Promise<ReadonlyMap<string, TableCatalogue>> => {
  const byTable = async (query: string) => Map.groupBy(await connection.rows(query, [schema]), ({ t }) => t ?? "");
  const tables = await connection.rows(tablesQuery, [schema]);
  const columns = await byTable(columnsQuery);
  const keys = await byTable(keysQuery(product));
  const foreignKeys = await byTable(foreignKeysQuery);
  const checks = await byTable(checksQuery(product));
  const partitions = await byTable(partitionsQuery);

  /** A copy draws from its own sequences. */
  const portable = ({ literal, expression }: Default): Default => ({
    ...(literal === undefined ? {} : { literal }),
    ...(expression === undefined ? {} : { expression: product === "MariaDB" ? ownText(expression) : expression }),
  });
  const ownText = (expression: string): string => {
    const latin1 = Buffer.from(expression).toString("latin1");
    return Buffer.from(withoutOwnSchema(latin1, schema), "latin1").toString();
  };

  const catalogueOf = ({ t, type, engine, collation, comment, format, options }: Row): TableCatalogue => {
    const of = (rows: ReadonlyMap<string, readonly Row[]>) => rows.get(t ?? "") ?? [];
    const named = of(columns).map((column) => ({ column, value: portable(defaultOf(column, product)) }));
    const detailsIn = (words: (expression: string) => string): string => {
      const expressed = (expression: string | null | undefined) => (expression ? words(expression) : null);
      return digestOf([
        [format, optionsOf(options)],
        named.map(({ column, value }) => [expressed(value.expression), expressed(column.generation), column.extra]),
        of(keys).map((key) => [expressed(key.expression), key.used]),
        of(checks).map(({ name, level, clause }) => [name, level, expressed(clause)]),
        of(partitions).map(({ t: _, ...partition }) => partition),
      ]);
    };
    const details = detailsIn((expression) => expression);
    const meaning = product === "MySQL" ? detailsIn(withoutIntroducers) : details;
    return {
      structure: digestOf([
        [type, engine, collationOf({ type: null, collation: collation ?? null }), comment],
        named.map(({ column, value }) => [
          ...[column.name, typeOf(column.type ?? ""), column.nullable, collationOf(column), column.comment],
          ...[traitsOf(column.extra ?? ""), value.literal ?? null],
        ]),
        byName(of(keys)).map((key) => [key.name, key.repeats, key.type, key.comment, key.c, key.length, key.direction]),
        byName(of(foreignKeys)).map((key) => [
          ...[key.name, key.c, key.s, key.other, key.oc],
          ...[ruleOf(key.onUpdate), ruleOf(key.onDelete)],
        ]),
      ]),
      details,
      ...(meaning === details ? {} : { meaning }),
    };
  };
  return new Map(
    tables.filter(({ type }) => !/VIEW$/.test(type ?? "")).map((table) => [table.t ?? "", catalogueOf(table)]),
  );
};
