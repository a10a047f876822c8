import { type Token, tokensOf, UnreadableSql, usualQuotes } from "./sqlTokens.ts";

/** A CREATE TABLE statement in two steps: the table with its primary key, and the other keys to add when the rows are in. */
export interface DeferredKeys {
  readonly create: string;
  /** One ALTER TABLE statement with a semicolon at its end; absent where keys had better come first. */
  readonly addKeys?: string;
}

/** A column, a key or a rule: what stands between two commas. */
interface Definition {
  readonly text: string;
  readonly tokens: readonly Token[];
}

interface Table {
  /** To its opening parenthesis, and from its closing one. */
  readonly head: string;
  readonly tail: string;
  readonly name: string;
  readonly definitions: readonly Definition[];
  readonly options: readonly Token[];
}

const isMark = (token: Token | undefined, text: string): boolean => token?.kind === "mark" && token.text === text;

const begins = (tokens: readonly Token[], ...words: readonly string[]): boolean =>
  words.every((word, index) => tokens[index]?.kind === "word" && tokens[index].text.toUpperCase() === word);

const holds = (tokens: readonly Token[], ...words: readonly string[]): boolean =>
  tokens.some((_, index) => begins(tokens.slice(index, index + words.length), ...words));

/** Undefined where the statement makes no table, or not in the form that servers print. */
const readTable = (sql: string): Table | undefined => {
  const tokens = tokensOf(sql, usualQuotes);
  const [, , name, open] = tokens;
  if (!begins(tokens, "CREATE", "TABLE") || name?.kind !== "name" || !open || !isMark(open, "(")) return undefined;
  const definitions: Definition[] = [];
  let [depth, code] = [1, 0];
  let [first, start] = [4, open.end];
  for (let index = first; index < tokens.length; index++) {
    const token = tokens[index] as Token;
    if (token.kind === "code") code++;
    if (token.kind === "codeEnd") code--;
    if (isMark(token, "(")) depth++;
    if (isMark(token, ")")) depth--;
    if (depth > 1 || (depth === 1 && !isMark(token, ","))) continue;
    if (code !== 0) return undefined; // a server may pass over what parts these two
    definitions.push({ text: sql.slice(start, token.start).trim(), tokens: tokens.slice(first, index) });
    [first, start] = [index + 1, token.end];
    if (depth > 0) continue;
    const head = sql.slice(0, open.end);
    return {
      head,
      tail: sql.slice(token.start),
      name: sql.slice(name.start, name.end),
      definitions,
      options: tokens.slice(first),
    };
  }
  return undefined;
};

const isKey = ({ tokens }: Definition): boolean =>
  (begins(tokens, "KEY") || begins(tokens, "UNIQUE", "KEY")) && !holds(tokens, "HASH");
const isColumn = ({ tokens }: Definition): boolean => tokens[0]?.kind === "name";
const isPrimary = ({ tokens }: Definition): boolean => begins(tokens, "PRIMARY", "KEY");

const mayWait = ({ definitions, options }: Table): boolean => {
  const engine = options.filter((token) => !isMark(token, "="));
  if (!holds(engine, "ENGINE", "INNODB") || holds(options, "VERSIONING")) return false;
  if (!definitions.every((definition) => isKey(definition) || isColumn(definition) || isPrimary(definition)))
    return false;
  const [, , open, leads] = definitions.find(isPrimary)?.tokens ?? [];
  if (!isMark(open, "(") || leads?.kind !== "name") return false;
  return definitions
    .filter((definition) => isColumn(definition) && holds(definition.tokens, "AUTO_INCREMENT"))
    .every(({ tokens }) => tokens[0]?.text === leads.text);
};

/** Tables that foreign keys of this statement refer to; their keys have to be there before it. */
export const referredTables = (create: string): readonly string[] => {
  try {
    const tokens = tokensOf(Buffer.from(create).toString("latin1"), usualQuotes);
    return tokens
      .filter(
        (token, index) => token.kind === "name" && begins(tokens.slice(Math.max(0, index - 1), index), "REFERENCES"),
      )
      .map(({ text }) => Buffer.from(text, "latin1").toString());
  } catch (error) {
    if (error instanceof UnreadableSql) return [];
    throw error;
  }
};

/** A table's columns in order; none where the statement is in no form of a server's. */
export const columnNames = (create: string): readonly string[] => {
  try {
    const table = readTable(Buffer.from(create).toString("latin1"));
    const columns = table?.definitions.filter(isColumn) ?? [];
    return columns.map(({ tokens }) => Buffer.from(tokens[0]?.text ?? "", "latin1").toString());
  } catch (error) {
    if (error instanceof UnreadableSql) return [];
    throw error;
  }
};

/** A table's columns in order, and which are of MySQL's type JSON; none where the statement is in no form of a server's. */
export const jsonColumns = (create: string): ReadonlyMap<string, boolean> => {
  if (!/ json\b/i.test(create)) return new Map();
  try {
    const table = readTable(Buffer.from(create).toString("latin1"));
    const columns = table?.definitions.filter(isColumn) ?? [];
    return new Map(
      columns.map(({ tokens }) => [
        Buffer.from(tokens[0]?.text ?? "", "latin1").toString(),
        begins(tokens.slice(1), "JSON"),
      ]),
    );
  } catch (error) {
    if (error instanceof UnreadableSql) return new Map();
    throw error;
  }
};

/**
 * Takes the secondary keys out of a CREATE TABLE statement. Sorting all rows into a key at once is a quarter cheaper than
 * placing them one by one, and leaves denser pages.
 *
 * Left whole are tables whose keys something needs from the start or whose order of keys would change: no primary key
 * (a unique key may cluster the rows), foreign keys, FULLTEXT or SPATIAL keys, keys of hashes, a history, an AUTO_INCREMENT
 * column that does not lead the primary key. So is every statement in which anything is not understood.
 */
export const deferKeys = (create: string): DeferredKeys => {
  try {
    const table = readTable(Buffer.from(create).toString("latin1"));
    const keys = table?.definitions.filter(isKey) ?? [];
    if (!table || keys.length === 0 || !mayWait(table)) return { create };
    const { head, tail, name } = table;
    const kept = table.definitions.filter((definition) => !isKey(definition));
    const listed = (lines: readonly string[]) => lines.map((line) => `\n  ${line}`).join(",");
    const text = (latin1: string) => Buffer.from(latin1, "latin1").toString();
    return {
      create: text(`${head}${listed(kept.map((definition) => definition.text))}\n${tail}`),
      addKeys: text(`ALTER TABLE ${name}${listed(keys.map((key) => `ADD ${key.text}`))};\n`),
    };
  } catch (error) {
    if (error instanceof UnreadableSql) return { create };
    throw error;
  }
};
