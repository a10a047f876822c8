/** What a session's `sql_mode` changes for whoever reads its statements. */
export interface QuoteRules {
  /** `"a"` is a name, not a string. */
  readonly ansiQuotes: boolean;
  /** `\` within a string is a letter like others. */
  readonly plainBackslash: boolean;
}

export const usualQuotes: QuoteRules = { ansiQuotes: false, plainBackslash: false };

/**
 * `word`: a keyword or a bare name; `name`: quoted; `code` and `codeEnd`: a comment whose content is run, such as
 * `/*!50003`, with the version as its text; `mark`: one character of anything else.
 */
export type TokenKind = "word" | "name" | "string" | "number" | "code" | "codeEnd" | "mark";

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a quoted name what stands between the quotes; of a `code` its version, `M` in front where it had one. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A quote or a comment that does not end. */
export class UnreadableSql extends Error {}

const space = /(?:[ \t\n\v\f\r]+|--(?=[\0- \x7f]|$)[^\n]*|#[^\n]*|\/\*(?!!|M!)[\s\S]*?\*\/)+/y;
const number = /(?:0x[0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(?![\w$\x80-\xff])/y;
const word = /[\w$\x80-\xff]+/y;
const code = /\/\*(M?)!(\d{0,6})/y;

const quotedEnd = (sql: string, start: number, backslash: boolean): number => {
  const quote = sql[start];
  for (let at = start + 1; at < sql.length; at++) {
    if (backslash && sql[at] === "\\") at++;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  throw new UnreadableSql("a quote does not end");
};

/** Where the next token begins: behind spaces and comments that are none but comments. */
export const skipSpace = (sql: string, at: number): number => {
  space.lastIndex = at;
  return space.test(sql) ? space.lastIndex : at;
};

/**
 * Reads the token that begins at `at`.
 *
 * @param sql one character a byte (Latin-1), in a character set whose further bytes are never ASCII
 * @throws {UnreadableSql}
 */
export const tokenAt = (sql: string, at: number, rules: QuoteRules): Token => {
  const first = sql[at];
  if (first === "`" || (first === '"' && rules.ansiQuotes)) {
    const end = quotedEnd(sql, at, false);
    return {
      kind: "name",
      text: sql.slice(at + 1, end - 1).replaceAll(`${first}${first}`, first),
      start: at,
      end,
    };
  }
  if (first === "'" || first === '"') {
    const end = quotedEnd(sql, at, !rules.plainBackslash);
    return { kind: "string", text: sql.slice(at, end), start: at, end };
  }
  code.lastIndex = at;
  const opened = code.exec(sql);
  if (opened) return { kind: "code", text: `${opened[1]}${opened[2]}`, start: at, end: code.lastIndex };
  if (sql.startsWith("/*", at)) throw new UnreadableSql("a comment does not end");
  if (sql.startsWith("*/", at)) return { kind: "codeEnd", text: "*/", start: at, end: at + 2 };
  for (const [kind, pattern] of [
    ["number", number],
    ["word", word],
  ] as const) {
    pattern.lastIndex = at;
    if (pattern.test(sql)) return { kind, text: sql.slice(at, pattern.lastIndex), start: at, end: pattern.lastIndex };
  }
  return { kind: "mark", text: sql[at] ?? "", start: at, end: at + 1 };
};

/** All tokens of a text, comments of code not looked through. @throws {UnreadableSql} */
export const tokensOf = (sql: string, rules: QuoteRules): readonly Token[] => {
  const tokens: Token[] = [];
  for (let at = skipSpace(sql, 0); at < sql.length; ) {
    const token = tokenAt(sql, at, rules);
    tokens.push(token);
    at = skipSpace(sql, token.end);
  }
  return tokens;
};

/** MySQL 5.7 and MariaDB 10, and all that came after them, run the content of comments of these versions. */
const runsEverywhere = (version: string): boolean => /^[45]\d{4}$/.test(version) && Number(version) < 50_700;

/**
 * What may stand in a comment that some servers run and others skip: it says the same of the rest either way. With any
 * other content two servers would read two statements, and we could not tell which.
 */
const optional = new RegExp(
  `^(?:${[
    "COMPRESSED|INVISIBLE|NOT ENFORCED|SRID \\d+|COLUMN_FORMAT \\w+|DEFAULT ENCRYPTION='[NY]'",
    "SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0|SET NOTE_VERBOSITY=@OLD_NOTE_VERBOSITY",
  ].join("|")})$`,
);

/** Less the comments of code that every server runs, which is looked through, and those that are optional. */
const readTokens = (tokens: readonly Token[], sql: string): readonly Token[] => {
  const kept: Token[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] as Token;
    if (token.kind === "codeEnd" || (token.kind === "code" && runsEverywhere(token.text))) continue;
    if (token.kind === "code") {
      const end = tokens.findIndex((later, place) => place > index && later.kind === "codeEnd");
      if (end > 0 && optional.test(sql.slice(token.end, tokens[end]?.start).trim())) {
        index = end;
        continue;
      }
    }
    kept.push(token);
  }
  return kept;
};

/** Reads the tokens of a statement one after another. */
export class TokenReader {
  #at = 0;
  readonly #tokens: readonly Token[];

  constructor(sql: string, rules: QuoteRules = usualQuotes) {
    this.#tokens = readTokens(tokensOf(sql, rules), sql);
  }

  /** All of them, wherever this one stands. */
  get tokens(): readonly Token[] {
    return this.#tokens;
  }

  get next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The next token, gone past. */
  take(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  /** Goes past these words, in any case, if all of them come next. */
  words(...wanted: readonly string[]): boolean {
    const there = wanted.every((text, index) => {
      const token = this.#tokens[this.#at + index];
      return token?.kind === "word" && token.text.toUpperCase() === text;
    });
    if (there) this.#at += wanted.length;
    return there;
  }

  /** Goes past one of these words and tells which. */
  oneOf(...wanted: readonly string[]): string | undefined {
    return wanted.find((text) => this.words(text));
  }

  mark(text: string): boolean {
    if (this.next?.kind !== "mark" || this.next.text !== text) return false;
    this.#at++;
    return true;
  }

  /** A name of one part, quoted or bare. Undefined, and nothing gone past, where there is none or it has several. */
  ownName(): string | undefined {
    const token = this.next;
    const behind = this.#tokens[this.#at + 1];
    if ((token?.kind !== "name" && token?.kind !== "word") || (behind?.kind === "mark" && behind.text === "."))
      return undefined;
    this.#at++;
    return token.text;
  }
}
