import { createHash } from "node:crypto";
import { IntegrityError } from "@openemr-ops/core/errors";
import { readSettings, type Setting } from "./sessionSettings.ts";
import type { ProgramSection } from "./sqlScanner.ts";
import {
  type QuoteRules,
  skipSpace,
  type Token,
  TokenReader,
  tokenAt,
  UnreadableSql,
  usualQuotes,
} from "./sqlTokens.ts";

/**
 * Character sets in which no letter of several bytes holds an ASCII byte, so that we find quotes where the server finds
 * them. Absent are Big5, GBK, GB18030 and Shift-JIS.
 */
const readable = new Set([
  ...["utf8", "utf8mb3", "utf8mb4", "ascii", "binary", "latin1", "latin2", "latin5", "latin7", "cp850", "cp852"],
  ...["cp866", "cp1250", "cp1251", "cp1256", "cp1257", "dec8", "hp8", "koi8r", "koi8u", "greek", "hebrew", "tis620"],
  ...["armscii8", "geostd8", "keybcs2", "macce", "macroman", "ujis", "eucjpms", "euckr", "gb2312"],
]);

const kinds: Readonly<Record<ProgramSection, readonly string[]>> = {
  routines: ["FUNCTION", "PROCEDURE", "PACKAGE"],
  triggers: ["TRIGGER"],
  views: ["VIEW"],
  events: ["EVENT"],
};

class Refused extends Error {}
const refuse = (why: string): never => {
  throw new Refused(why);
};

/** What the session's settings would be after the statements so far. */
interface Session {
  quotes: QuoteRules;
  readonly values: Map<string, string>;
}

const quotesOf = (sqlMode: string): QuoteRules => ({
  ansiQuotes: /\b(ANSI|ANSI_QUOTES|DB2|MAXDB|MSSQL|ORACLE|POSTGRESQL)\b/i.test(sqlMode),
  plainBackslash: /\bNO_BACKSLASH_ESCAPES\b/i.test(sqlMode),
});

const follow = (session: Session, settings: readonly Setting[]): void => {
  for (const { name, value } of settings) {
    const known = value.startsWith("@") ? (session.values.get(value.replace(/^@@/, "")) ?? "") : value;
    if (name === "CHARACTER_SET_CLIENT" && known !== "" && !readable.has(known.toLowerCase()))
      refuse("it was written in a character set that this program does not read");
    session.values.set(name, known);
    if (name === "SQL_MODE") session.quotes = quotesOf(known);
  }
};

/** Goes past what a CREATE statement says before its body. */
const assertCreates = (reader: TokenReader, allowed: readonly string[]): void => {
  if (reader.words("ALGORITHM")) {
    reader.mark("=");
    if (!reader.oneOf("UNDEFINED", "MERGE", "TEMPTABLE")) refuse("it cannot be read");
  }
  if (reader.words("SQL", "SECURITY") && !reader.oneOf("DEFINER", "INVOKER")) refuse("it cannot be read");
  reader.words("AGGREGATE");
  const kind = reader.oneOf(...allowed) ?? refuse("it makes something else than its section may, or for another user");
  if (kind === "PACKAGE") reader.words("BODY");
  reader.words("IF", "NOT", "EXISTS");
  if (reader.ownName() === undefined) refuse("what it makes is named with a schema");
  if (kind === "TRIGGER") {
    const when = reader.oneOf("BEFORE", "AFTER") && reader.oneOf("INSERT", "UPDATE", "DELETE");
    if (!when || !reader.words("ON")) refuse("it cannot be read");
    if (reader.ownName() === undefined) refuse("its table is named with a schema");
    if (!reader.words("FOR", "EACH", "ROW")) refuse("it cannot be read");
  }
  // A function without parentheses would be one of a library, that the server loads as code.
  if (["FUNCTION", "PROCEDURE"].includes(kind) && !reader.mark("(")) refuse("it has no list of arguments");
  if (kind === "EVENT" && !reader.words("ON", "SCHEDULE")) refuse("it cannot be read");
};

const assertDrops = (reader: TokenReader, allowed: readonly string[]): void => {
  const kind = reader.oneOf(...allowed) ?? refuse("it removes something else than its section may");
  if (kind === "PACKAGE") reader.words("BODY");
  if (!reader.words("IF", "EXISTS") || reader.ownName() === undefined || !reader.ended)
    refuse("it removes something else than its section may");
};

const names = new Set(["name", "word"]);

/** A name before a point that is that of a schema. */
const assertStaysIn = (tokens: readonly Token[], others: ReadonlySet<string>): void => {
  tokens.forEach((token, index) => {
    const [point, behind] = [tokens[index + 1], tokens[index + 2]];
    if (!names.has(token.kind) || point?.text !== "." || !behind) return;
    if (others.has(token.text.toLowerCase())) refuse("it reaches into another schema");
  });
};

/** True for what is to be run. */
const isToRun = (
  sql: string,
  session: Session,
  sections: readonly ProgramSection[],
  others: ReadonlySet<string>,
): boolean => {
  const reader = new TokenReader(sql, session.quotes);
  if (reader.ended) return false; // a setting that not all servers know
  if (reader.next?.kind === "word" && reader.next.text.toUpperCase() === "SET") {
    const settings = readSettings(reader);
    if (!settings || !reader.ended) return refuse("it sets something that no dump sets");
    follow(session, settings);
    return true;
  }
  const allowed = sections.flatMap((section) => kinds[section]);
  if (reader.words("CREATE")) {
    assertCreates(reader, allowed);
    assertStaysIn(reader.tokens, others);
    return true;
  }
  if (reader.words("DROP", "TABLE")) {
    // mariadb-dump writes it for views whose place a table held; here none does, and a table stays.
    if (!sections.includes("views") || !reader.words("IF", "EXISTS") || reader.ownName() === undefined || !reader.ended)
      refuse("it removes something else than its section may");
    return false;
  }
  if (reader.words("DROP")) {
    assertDrops(reader, allowed);
    return true;
  }
  if (reader.words("ALTER", "DATABASE", "CHARACTER", "SET")) {
    if (reader.take()?.kind !== "word" || !reader.words("COLLATE") || reader.take()?.kind !== "word" || !reader.ended)
      refuse("it changes more of the schema than a dump does");
    return true;
  }
  return refuse("it is no statement of a dump");
};

const delimiterLine = /DELIMITER (;{1,15})\n/y;

/** Cuts a text where MariaDB's client would, and calls back for each statement, less its delimiter. */
const eachStatement = (text: string, session: Session, onStatement: (sql: string) => void): void => {
  let delimiter = ";";
  let begin = skipSpace(text, 0);
  let at = begin;
  while (at < text.length) {
    delimiterLine.lastIndex = at;
    const change = at === begin && (at === 0 || text[at - 1] === "\n") ? delimiterLine.exec(text) : undefined;
    if (change) {
      delimiter = change[1] ?? ";";
      at = skipSpace(text, delimiterLine.lastIndex);
      begin = at;
    } else if (text.startsWith(delimiter, at)) {
      if (at > begin) onStatement(text.slice(begin, at));
      at = skipSpace(text, at + delimiter.length);
      begin = at;
    } else at = skipSpace(text, tokenAt(text, at, session.quotes).end);
  }
  if (at > begin) refuse("its end is missing");
};

/** Reads programs and calls back for each statement that is to be run, with the session as it is then. */
const readPrograms = (
  text: string,
  sections: readonly ProgramSection[],
  others: ReadonlySet<string>,
  onStatement: (sql: string, session: Session) => void,
): void => {
  const session: Session = { quotes: usualQuotes, values: new Map([["SQL_MODE", "NO_AUTO_VALUE_ON_ZERO"]]) };
  let number = 0;
  try {
    eachStatement(text, session, (sql) => {
      number++;
      if (isToRun(sql, session, sections, others)) onStatement(sql, session);
    });
  } catch (error) {
    if (!(error instanceof Refused) && !(error instanceof UnreadableSql)) throw error;
    throw new IntegrityError(
      `among the dump's ${sections.join(", ")}, statement ${number || 1} is not taken: ${error.message}`,
    );
  }
};

/**
 * Reads routines, triggers, views and events: which statements to run, one by one. A program's body is SQL of any kind; it is
 * made, not run, and this sees to it that nothing else is, and that what is made lies in the schema in use.
 *
 * @param text one character a byte (Latin-1)
 * @param sections whose programs there may be
 * @param others names of schemas, in lower case, that no program may reach into
 * @throws {IntegrityError} something else is there; the message says where, and never quotes it
 */
export const programStatements = (
  text: string,
  sections: readonly ProgramSection[],
  others: ReadonlySet<string> = new Set(),
): readonly string[] => {
  const statements: string[] = [];
  readPrograms(text, sections, others, (sql) => statements.push(sql));
  return statements;
};

/** What a program keeps for ever of the session that made it. */
const keptSettings = ["SQL_MODE", "CHARACTER_SET_CLIENT", "COLLATION_CONNECTION", "TIME_ZONE"];

/**
 * Digest of the programs of a section: each one's words in their order, and the settings that it was made under. How a
 * client lays them out, and what it puts around them, is none of it.
 *
 * @param text one character a byte (Latin-1)
 */
export const programsDigest = (text: string, section: ProgramSection): string => {
  const digest = createHash("sha256");
  readPrograms(text, [section], new Set(), (sql, { quotes, values }) => {
    const { tokens } = new TokenReader(sql, quotes);
    if (tokens[0]?.text.toUpperCase() !== "CREATE") return;
    const words = tokens.map(({ kind, text: written }) => [kind, written]);
    digest.update(JSON.stringify([words, keptSettings.map((name) => values.get(name) ?? null)]));
  });
  return digest.digest("hex");
};
