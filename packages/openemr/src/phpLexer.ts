import { SqlconfError } from "@openemr-ops/core/errors";

/**
 * A token of PHP. `text` holds one character a byte (latin1); for a string `value` holds its evaluated bytes the same way.
 */
export type PhpToken = {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly line: number;
} & (
  | { readonly kind: "variable" | "name" | "number" | "symbol" }
  | { readonly kind: "string"; readonly value: string }
);

/**
 * Splits a small PHP file into tokens without running it: comments and white space go, `?>` becomes `;`.
 *
 * @param source the file, one character a byte
 * @throws {SqlconfError} fatal: it is not one PHP block, or holds a form of text that we do not read (heredoc, backticks, interpolation)
 */
export const phpTokens = (source: string): readonly PhpToken[] => {
  const open = /^(?:\xef\xbb\xbf)?[ \t\r\n]*<\?php(?=[ \t\r\n]|$)/i.exec(source);
  if (!open) throw new SqlconfError(source.trim() === "" ? "the file is empty" : "the file does not begin with <?php");

  const tokens: PhpToken[] = [];
  let line = 1 + newlines(open[0]);
  for (let at = open[0].length; at < source.length; ) {
    const space = skip.exec(source, at);
    if (space) {
      line += newlines(space);
      at += space.length;
      continue;
    }
    const close = closing.exec(source, at);
    if (close) {
      tokens.push({ kind: "symbol", text: ";", start: at, end: at, line });
      if (source.slice(at + close.length).trim() !== "")
        throw new SqlconfError(`line ${line}: text after the closing ?>`);
      break;
    }
    const token = readToken(source, at, line);
    tokens.push(token);
    line += newlines(token.text);
    at = token.end;
  }
  return tokens;
};

const sticky = (pattern: RegExp): { exec(source: string, at: number): string | undefined } => {
  const compiled = new RegExp(pattern.source, "y");
  return {
    exec: (source, at) => {
      compiled.lastIndex = at;
      return compiled.exec(source)?.[0];
    },
  };
};

/** A comment of one line ends before `?>`, which PHP obeys even there. `#[` begins an attribute, not a comment. */
const skip = sticky(/[ \t\r\n\v\f]+|(?:\/\/|#(?!\[))(?:(?!\?>)[^\r\n])*|\/\*[\s\S]*?\*\//);
const closing = sticky(/\?>/);
const patterns = [
  { kind: "variable", pattern: sticky(/\$[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*/) },
  { kind: "name", pattern: sticky(/[A-Za-z_\x80-\xff\\][A-Za-z0-9_\x80-\xff\\]*/) },
  { kind: "number", pattern: sticky(/\.?[0-9][0-9A-Za-z_.]*/) },
] as const;
const singleQuoted = sticky(/'(?:[^'\\]|\\[\s\S])*'/);
const doubleQuoted = sticky(/"(?:[^"\\]|\\[\s\S])*"/);
const unreadable = sticky(/<<<|`|\/\*|'|"/);
const symbol = sticky(/=>|===?|\?\?=?|\?:|[.+\-*/%&|^]=|->|::|&&|\|\||[\s\S]/);

const readToken = (source: string, start: number, line: number): PhpToken => {
  for (const { kind, pattern } of patterns) {
    const text = pattern.exec(source, start);
    if (text) return { kind, text, start, end: start + text.length, line };
  }
  const single = singleQuoted.exec(source, start);
  if (single) {
    const value = single.slice(1, -1).replace(/\\([\\'])/g, "$1");
    return { kind: "string", text: single, value, start, end: start + single.length, line };
  }
  const double = doubleQuoted.exec(source, start);
  if (double) {
    return {
      kind: "string",
      text: double,
      value: unescaped(double.slice(1, -1), line),
      start,
      end: start + double.length,
      line,
    };
  }
  const refused = unreadable.exec(source, start);
  if (refused) {
    const what =
      refused === "<<<" ? "a heredoc" : refused === "`" ? "a shell command" : "a text or comment without an end";
    throw new SqlconfError(`line ${line}: ${what}; write the value between single quotes`);
  }
  const text = symbol.exec(source, start) ?? "";
  return { kind: "symbol", text, start, end: start + text.length, line };
};

const simpleEscapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  v: "\v",
  e: "\x1b",
  f: "\f",
  "\\": "\\",
  $: "$",
  '"': '"',
};

/** The inside of double quotes. PHP keeps a backslash before anything that it does not know. */
const unescaped = (inside: string, line: number): string => {
  if (/(?<!\\)(?:\\\\)*(?:\$[A-Za-z_{\x80-\xff]|\{\$)/.test(inside)) {
    throw new SqlconfError(`line ${line}: a text that contains a variable; write the value between single quotes`);
  }
  return inside.replace(
    /\\(?:([ntrvef\\$"])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u\{([^}]*)\}?)/g,
    (whole, simple?: string, octal?: string, hex?: string, point?: string) => {
      if (simple !== undefined) return simpleEscapes[simple] ?? whole;
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const code = /^[0-9A-Fa-f]+$/.test(point ?? "") ? Number.parseInt(point ?? "", 16) : Number.NaN;
      if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff))
        throw new SqlconfError(`line ${line}: an escape \\u{…} that is not a character`);
      return Buffer.from(String.fromCodePoint(code)).toString("latin1");
    },
  );
};

const newlines = (text: string): number => text.split("\n").length - 1;
