import { SqlconfError } from "@openemr-ops/core/errors";
import { type PhpToken, phpTokens } from "./phpLexer.ts";

/** A value and the piece of the source that decides it: replacing that piece by another literal changes the value. */
export interface PhpScalar {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly start: number;
  readonly end: number;
}
interface PhpArray {
  readonly kind: "array";
  readonly entries: ReadonlyMap<string, PhpScalar | PhpUnknown>;
}
/** A value that only running the file could tell. */
interface PhpUnknown {
  readonly kind: "unknown";
  readonly reason: string;
}
export type PhpValue = PhpScalar | PhpArray | PhpUnknown;

/**
 * What a PHP file that only assigns leaves in its variables; it is read, never run. Names without `$`.
 * Understood: literals, concatenation of literals, other variables, arrays with text keys, `global`. A value that reads the
 * environment stays unknown; any statement that could do more is refused, for it could change any variable.
 *
 * @param source one character a byte
 * @throws {SqlconfError} fatal: names the line, never a value
 */
export const phpAssignments = (source: string): ReadonlyMap<string, PhpValue> => {
  const variables = new Map<string, PhpValue>();
  let statement: PhpToken[] = [];
  for (const token of phpTokens(source)) {
    if (token.kind !== "symbol" || token.text !== ";") statement.push(token);
    else {
      if (statement.length > 0) run(statement, variables);
      statement = [];
    }
  }
  if (statement[0]) throw new SqlconfError(`line ${statement[0].line}: a statement without its semicolon`);
  return variables;
};

const isSymbol = (token: PhpToken | undefined, text: string): boolean =>
  token?.kind === "symbol" && token.text === text;
const isName = (token: PhpToken | undefined, text: string): boolean =>
  token?.kind === "name" && token.text.toLowerCase() === text;

const run = (statement: readonly PhpToken[], variables: Map<string, PhpValue>): void => {
  const [first, second, third, fourth, fifth] = statement;
  if (first?.kind === "variable" && isSymbol(second, "=")) {
    variables.set(first.text.slice(1), evaluate(statement.slice(2), first, variables));
    return;
  }
  if (
    first?.kind === "variable" &&
    isSymbol(second, "[") &&
    third?.kind === "string" &&
    third.value !== undefined &&
    isSymbol(fourth, "]") &&
    isSymbol(fifth, "=")
  ) {
    const name = first.text.slice(1);
    const array = variables.get(name) ?? { kind: "array", entries: new Map() };
    const value = evaluate(statement.slice(5), first, variables);
    if (array.kind === "array" && value.kind !== "array") {
      variables.set(name, { kind: "array", entries: new Map([...array.entries, [third.value, value]]) });
      return;
    }
  }
  if (isName(first, "global") && isListOfVariables(statement.slice(1))) return;
  throw new SqlconfError(
    `line ${first?.line}: only assignments of fixed values can be read without running the file; move anything else elsewhere`,
  );
};

const isListOfVariables = (tokens: readonly PhpToken[]): boolean =>
  tokens.length % 2 === 1 &&
  tokens.every((token, index) => (index % 2 === 0 ? token.kind === "variable" : isSymbol(token, ",")));

const evaluate = (tokens: readonly PhpToken[], at: PhpToken, variables: ReadonlyMap<string, PhpValue>): PhpValue => {
  const [first] = tokens;
  if (first === undefined) throw new SqlconfError(`line ${at.line}: a value is missing`);
  if (tokens.length === 1 && first.kind === "variable") {
    return variables.get(first.text.slice(1)) ?? { kind: "unknown", reason: `line ${at.line}: an undefined variable` };
  }
  return (
    evaluateArray(tokens, variables) ??
    evaluateLiteral(tokens) ??
    evaluateConcatenation(tokens, at, variables) ??
    unknownOrRefused(tokens, at)
  );
};

/** `[…]` or `array(…)` of text keys and single values. */
const evaluateArray = (tokens: readonly PhpToken[], variables: ReadonlyMap<string, PhpValue>): PhpArray | undefined => {
  const long = isName(tokens[0], "array") && isSymbol(tokens[1], "(") && isSymbol(tokens.at(-1), ")");
  if (!long && !(isSymbol(tokens[0], "[") && isSymbol(tokens.at(-1), "]"))) return undefined;
  const entries = new Map<string, PhpScalar | PhpUnknown>();
  for (const entry of splitAtCommas(tokens.slice(long ? 2 : 1, -1))) {
    const [key, arrow] = entry;
    if (key?.kind !== "string" || key.value === undefined || !isSymbol(arrow, "=>")) return undefined;
    const value = evaluate(entry.slice(2), key, variables);
    if (value.kind === "array") return undefined;
    entries.set(key.value, value);
  }
  return { kind: "array", entries };
};

/** Commas inside parentheses belong to what they are in; one comma at the end is allowed. */
const splitAtCommas = (tokens: readonly PhpToken[]): readonly (readonly PhpToken[])[] => {
  const parts: PhpToken[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "symbol" && "([{".includes(token.text)) depth++;
    if (token.kind === "symbol" && ")]}".includes(token.text)) depth--;
    if (depth === 0 && isSymbol(token, ",")) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.at(-1)?.length === 0 ? parts.slice(0, -1) : parts;
};

const constants: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

const evaluateLiteral = ([token, more]: readonly PhpToken[]): PhpScalar | undefined => {
  if (token === undefined || more !== undefined) return undefined;
  const { start, end } = token;
  if (token.kind === "string" && token.value !== undefined) return { kind: "scalar", value: token.value, start, end };
  if (token.kind === "number" && /^(?:0|[1-9][0-9]{0,14})$/.test(token.text)) {
    return { kind: "scalar", value: Number(token.text), start, end };
  }
  const value = token.kind === "name" ? constants[token.text.toLowerCase()] : undefined;
  return value === undefined ? undefined : { kind: "scalar", value, start, end };
};

/** `'a' . $b . 'c'` of texts; the whole expression decides the value. */
const evaluateConcatenation = (
  tokens: readonly PhpToken[],
  at: PhpToken,
  variables: ReadonlyMap<string, PhpValue>,
): PhpScalar | undefined => {
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (tokens.length < 3 || tokens.length % 2 === 0 || !first || !last) return undefined;
  let text = "";
  for (const [index, token] of tokens.entries()) {
    if (index % 2 === 1) {
      if (!isSymbol(token, ".")) return undefined;
      continue;
    }
    if (token.kind !== "string" && token.kind !== "variable") return undefined;
    const part = evaluate([token], at, variables);
    if (part.kind !== "scalar" || typeof part.value !== "string") return undefined;
    text += part.value;
  }
  return { kind: "scalar", value: text, start: first.start, end: last.end };
};

const readsEnvironment = new Set(["getenv", "$_env", "$_server"]);

/** An expression that reads the environment changes nothing: its value is unknown. Any other could do anything. */
const unknownOrRefused = (tokens: readonly PhpToken[], at: PhpToken): PhpUnknown => {
  const harmless = tokens.every((token) => {
    if (token.kind === "string" || token.kind === "number") return true;
    if (token.kind === "symbol") return ["(", ")", "[", "]", "?:", "??", "?", ":", ".", ","].includes(token.text);
    const name = token.text.toLowerCase();
    return readsEnvironment.has(name) || name in constants;
  });
  if (!harmless) {
    throw new SqlconfError(`line ${at.line}: a value that is computed; write it between single quotes`);
  }
  return { kind: "unknown", reason: `line ${at.line}: a value that is computed from the environment` };
};
