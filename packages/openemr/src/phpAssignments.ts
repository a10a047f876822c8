import { SqlconfError } from "@openemr-ops/core/errors";
import { type PhpReadable, type PhpValue, phpExpression } from "./phpExpression.ts";
import { type PhpToken, phpTokens } from "./phpLexer.ts";
import { isName, isSymbol } from "./phpTokens.ts";

/**
 * What a PHP file that only assigns leaves in its variables; it is read, never run. Names without `$`.
 * Understood: values of `phpExpression`, constants made of them, arrays with text keys, `global`. A value that reads the
 * environment stays unknown; any statement that could do more is refused, for it could change any variable.
 *
 * @param source one character a byte
 * @throws {SqlconfError} fatal: names the line, never a value
 */
export const phpAssignments = (source: string): ReadonlyMap<string, PhpValue> => {
  const variables = new Map<string, PhpValue>();
  const constants = new Map<string, PhpValue>();
  let statement: PhpToken[] = [];
  for (const token of phpTokens(source)) {
    if (token.kind !== "symbol" || token.text !== ";") statement.push(token);
    else {
      if (statement.length > 0) run(statement, { variables, constants });
      statement = [];
    }
  }
  if (statement[0]) throw new SqlconfError(`line ${statement[0].line}: a statement without its semicolon`);
  return variables;
};

interface Scope extends PhpReadable {
  readonly variables: Map<string, PhpValue>;
  readonly constants: Map<string, PhpValue>;
}

const run = (statement: readonly PhpToken[], scope: Scope): void => {
  const [first] = statement;
  const understood =
    first?.kind === "variable"
      ? assign(statement, first, scope)
      : makeConstant(statement, scope) || takeGlobals(statement, scope);
  if (!understood)
    throw new SqlconfError(
      `line ${first?.line}: only assignments of fixed values can be read without running the file; move anything else elsewhere`,
    );
};

/** `$name = …` or `$name['key'] = …`. What is assigned to `$GLOBALS` changes another variable. */
const assign = (statement: readonly PhpToken[], first: PhpToken, scope: Scope): boolean => {
  const name = first.text.slice(1);
  const [, second, third, fourth, fifth] = statement;
  if (name === "GLOBALS") return false;
  if (isSymbol(second, "=")) {
    scope.variables.set(name, phpExpression(statement.slice(2), first, scope));
    return true;
  }
  const isEntry = isSymbol(second, "[") && isSymbol(fourth, "]") && isSymbol(fifth, "=");
  if (!isEntry || third?.kind !== "string") return false;
  const array = scope.variables.get(name) ?? { kind: "array", entries: new Map() };
  const value = phpExpression(statement.slice(5), first, scope);
  if (array.kind !== "array" || value.kind === "array") return false;
  scope.variables.set(name, { kind: "array", entries: new Map([...array.entries, [third.value, value]]) });
  return true;
};

/** Constants that PHP has already, or takes for something else. */
const ownConstants = /^(?:(?:PHP|E|M|MYSQLI|LC|LOG|INI|DIRECTORY|PATH)_.*|__.*|true|false|null)$/i;

/** `define('NAME', …)` or `const NAME = …`, each name once: PHP keeps the first value. */
const makeConstant = (statement: readonly PhpToken[], { variables, constants }: Scope): boolean => {
  const [first, second, third, fourth] = statement;
  const made =
    isName(first, "const") && second?.kind === "name" && isSymbol(third, "=")
      ? { name: second.text, value: statement.slice(3) }
      : isName(first, "define") &&
          isSymbol(second, "(") &&
          third?.kind === "string" &&
          isSymbol(fourth, ",") &&
          isSymbol(statement.at(-1), ")")
        ? { name: third.value, value: statement.slice(4, -1) }
        : undefined;
  if (!first || !made || !/^[A-Za-z_]\w*$/.test(made.name) || ownConstants.test(made.name)) return false;
  if (constants.has(made.name)) return false;
  constants.set(made.name, phpExpression(made.value, first, { variables, constants }));
  return true;
};

/** `global` gives a variable another value where a function reads the file, as OpenEMR does from 8.0 on. */
const takeGlobals = ([first, ...rest]: readonly PhpToken[], { variables }: Scope): boolean => {
  const isList = rest.length % 2 === 1 && rest.every((token, index) => index % 2 === 0 || isSymbol(token, ","));
  const names = rest.filter((_, index) => index % 2 === 0);
  if (!isName(first, "global") || !isList || names.some(({ kind }) => kind !== "variable")) return false;
  for (const { text, line } of names) {
    const value = variables.get(text.slice(1));
    if (value === undefined || (value.kind === "array" && value.entries.size === 0)) continue;
    variables.set(text.slice(1), {
      kind: "unknown",
      reason: `line ${line}: "global" behind a value, which is lost where a function reads the file; move it to the beginning`,
    });
  }
  return true;
};
