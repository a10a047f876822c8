import { SqlconfError } from "@openemr-ops/core/errors";
import type { PhpToken } from "./phpLexer.ts";
import { isName, isSymbol } from "./phpTokens.ts";

/** A value and the piece of the source that decides it: replacing that piece by another literal changes the value. */
export interface PhpScalar {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}
interface PhpArray {
  readonly kind: "array";
  /** Those with text keys. */
  readonly entries: ReadonlyMap<string, PhpScalar | PhpUnknown>;
}
/** A value that only running the file could tell. */
interface PhpUnknown {
  readonly kind: "unknown";
  readonly reason: string;
}
export type PhpValue = PhpScalar | PhpArray | PhpUnknown;

/** What an expression can read. */
export interface PhpReadable {
  readonly variables: ReadonlyMap<string, PhpValue>;
  readonly constants: ReadonlyMap<string, PhpValue>;
}

/**
 * The value of an expression that does nothing but read: literals, their concatenation, variables, entries of arrays and
 * constants that the file has set, arrays, and the environment, whose values are unknown. Any other could do anything.
 *
 * @param at where the statement begins, for messages
 * @throws {SqlconfError} fatal: names the line, never a value
 */
export const phpExpression = (tokens: readonly PhpToken[], at: PhpToken, readable: PhpReadable): PhpValue => {
  if (tokens.length === 0) throw new SqlconfError(`line ${at.line}: a value is missing`);
  const reader = new ExpressionReader(tokens, at, readable);
  const value = reader.expression();
  reader.end();
  return value;
};

const deepest = 20;
/** Numbers of PHP that are no plain integers. */
const otherNumber = /^(?:0[0-7]*|[1-9][0-9]*|0[xX][0-9a-fA-F]+|[0-9]*\.[0-9]+|[0-9]+\.)$/;

/** A recursive descent; each method reads what it is named after. */
class ExpressionReader {
  readonly #tokens: readonly PhpToken[];
  readonly #at: PhpToken;
  readonly #readable: PhpReadable;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly PhpToken[], at: PhpToken, readable: PhpReadable) {
    this.#tokens = tokens;
    this.#at = at;
    this.#readable = readable;
  }

  end(): void {
    if (this.#next < this.#tokens.length) throw this.#refused();
  }

  /** `a ?: b` or `a ? b : c`, which PHP refuses to chain without parentheses. A choice is not one literal. */
  expression(): PhpValue {
    if (++this.#depth > deepest) throw this.#refused();
    let value = this.#firstThatIs();
    if (this.#take("?")) {
      this.expression();
      this.#expect(":");
      this.#firstThatIs();
      value = this.#computed();
    } else {
      while (this.#take("?:")) {
        this.#firstThatIs();
        value = this.#computed();
      }
    }
    this.#depth--;
    return value;
  }

  /** `a ?? b` */
  #firstThatIs(): PhpValue {
    let value = this.#concatenation();
    while (this.#take("??")) {
      this.#concatenation();
      value = this.#computed();
    }
    return value;
  }

  /** `'a' . $b . 'c'` of texts: the whole decides the value. */
  #concatenation(): PhpValue {
    const first = this.#peek();
    const parts = [this.#primary()];
    while (this.#take(".")) parts.push(this.#primary());
    const [only] = parts;
    if (only !== undefined && parts.length === 1) return only;
    const last = this.#tokens[this.#next - 1];
    let text = "";
    for (const part of parts) {
      if (part.kind === "unknown") return part;
      if (part.kind === "array" || (typeof part.value !== "string" && typeof part.value !== "number"))
        throw this.#refused();
      text += part.value;
    }
    if (!first || !last) throw this.#refused();
    return { kind: "scalar", value: text, start: first.start, end: last.end, line: first.line };
  }

  #primary(): PhpValue {
    const token = this.#peek();
    if (token === undefined) throw this.#refused();
    this.#next++;
    switch (token.kind) {
      case "string":
        return scalar(token, token.value);
      case "number":
        if (/^(?:0|[1-9][0-9]{0,14})$/.test(token.text)) return scalar(token, Number(token.text));
        if (!otherNumber.test(token.text)) throw this.#refused(token);
        return { kind: "unknown", reason: `line ${token.line}: a number in another form than 3306` };
      case "variable":
        return this.#variable(token.text.slice(1));
      case "name":
        return this.#named(token);
      default:
        if (token.text === "[") return this.#array("]");
        if (token.text !== "(") throw this.#refused(token);
        return this.#parentheses();
    }
  }

  #parentheses(): PhpValue {
    const value = this.expression();
    this.#expect(")");
    return value;
  }

  /** `$name` or `$name['key']`. */
  #variable(name: string): PhpValue {
    const value = this.#readable.variables.get(name) ?? this.#undefined();
    const isEnvironment = name === "_ENV" || name === "_SERVER";
    if (!this.#take("[")) return isEnvironment ? this.#computed() : value;
    const key = this.#peek();
    if (key?.kind !== "string") throw this.#refused();
    this.#next++;
    this.#expect("]");
    if (isEnvironment) return this.#computed();
    if (value.kind !== "array") throw this.#refused();
    return value.entries.get(key.value) ?? this.#undefined();
  }

  /** A constant, `array(…)` or `getenv(…)`. */
  #named(token: PhpToken): PhpValue {
    const isCall = this.#take("(");
    if (isCall && isName(token, "array")) return this.#array(")");
    if (isCall && isName(token, "getenv")) {
      while (!this.#take(")")) {
        this.expression();
        if (!isSymbol(this.#peek(), ")")) this.#expect(",");
      }
      return this.#computed();
    }
    if (isCall) throw this.#refused(token);
    for (const [name, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const)
      if (isName(token, name)) return scalar(token, value);
    const constant = this.#readable.constants.get(token.text.replace(/^\\/, ""));
    if (!constant) throw this.#refused(token);
    return constant;
  }

  /** Entries up to the closing symbol. Those with a number for a key, or none, hold nothing that we look for. */
  #array(closing: string): PhpValue {
    const entries = new Map<string, PhpScalar | PhpUnknown>();
    while (!this.#take(closing)) {
      const key = this.#peek();
      let value = this.expression();
      const hasKey = this.#take("=>");
      if (hasKey) {
        const isOneToken = key !== undefined && this.#tokens[this.#next - 2] === key;
        if (!isOneToken || (key.kind !== "string" && key.kind !== "number")) throw this.#refused(key);
        value = this.expression();
      }
      if (hasKey && key?.kind === "string")
        entries.set(key.value, value.kind === "array" ? this.#unknown("an array in an array") : value);
      if (!isSymbol(this.#peek(), closing)) this.#expect(",");
    }
    return { kind: "array", entries };
  }

  #peek(): PhpToken | undefined {
    return this.#tokens[this.#next];
  }

  #take(text: string): boolean {
    if (!isSymbol(this.#peek(), text)) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#refused();
  }

  #line(): number {
    return (this.#tokens[this.#next - 1] ?? this.#at).line;
  }

  #unknown(what: string): PhpUnknown {
    return { kind: "unknown", reason: `line ${this.#line()}: ${what}` };
  }

  #undefined(): PhpUnknown {
    return this.#unknown("an undefined variable");
  }

  #computed(): PhpUnknown {
    return this.#unknown("a value that is computed from the environment");
  }

  #refused(token = this.#peek()): SqlconfError {
    return new SqlconfError(
      `line ${(token ?? this.#at).line}: a value that is computed; write it between single quotes`,
    );
  }
}

const scalar = ({ start, end, line }: PhpToken, value: PhpScalar["value"]): PhpScalar => ({
  kind: "scalar",
  value,
  start,
  end,
  line,
});
