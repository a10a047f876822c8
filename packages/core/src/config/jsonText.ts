import { type InputIssue, InvalidInputError } from "../errors.ts";
import { fieldPath } from "./fieldPath.ts";

type Expected = "value" | "value or ]" | "name" | "name or }" | "colon" | "comma or end" | "nothing";

interface Level {
  /** Names seen so far; not set in a list. */
  readonly names?: Set<string>;
  /** The name or index under way. */
  at: string | number;
}

const blank = "[ \\t\\n\\r]*";
const plainCharacters = '[^"\\\\\\u0000-\\u001f]*';
const escaped = '\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})';
const string = `"${plainCharacters}(?:${escaped}${plainCharacters})*"`;
const number = "-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?(?![\\w.+-])";
const word = "(?:true|false|null)(?!\\w)";
/** One token of RFC 8259: a mark, a text, or a number or word. */
const token = new RegExp(`${blank}(?:([{}[\\],:])|(${string})|(${number}|${word}))`, "y");

const words: Readonly<Record<Expected, string>> = {
  value: "expected a value: text in double quotes, a number, true, false, null, [ or {",
  "value or ]": "expected a value or ]",
  name: "expected a setting's name in double quotes; after the last setting stands no comma",
  "name or }": "expected a setting's name in double quotes, or }",
  colon: "expected a colon after the setting's name",
  "comma or end": "expected a comma, or the bracket that ends this list or object",
  nothing: "expected nothing more",
};

const positionOf = (text: string, offset: number): string => {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
};

/** What is wrong with a JSON text: the first break of its grammar, or names that an object has twice. Quotes none of its values. */
const findJsonIssues = (text: string): readonly InputIssue[] => {
  const levels: Level[] = [];
  const twice: InputIssue[] = [];
  let expected: Expected = "value";
  token.lastIndex = 0;
  for (let offset = 0; ; offset = token.lastIndex) {
    const found = token.exec(text);
    const start = offset + text.slice(offset).search(/[^ \t\n\r]|$/);
    const broken = () => [{ path: "", message: `${positionOf(text, start)}: ${words[expected]}` }];
    if (!found) return start === text.length && expected === "nothing" ? twice : broken();
    const [, mark, quoted, scalar] = found;
    const level = levels.at(-1);
    const valueMayStand = expected === "value" || expected === "value or ]";
    const nameMayStand = expected === "name" || expected === "name or }";
    const closes = (mark === "]" && expected === "value or ]") || (mark === "}" && expected === "name or }");
    const closesAfterValue = expected === "comma or end" && mark === (level?.names ? "}" : "]");
    if (valueMayStand && (quoted !== undefined || scalar !== undefined)) {
      expected = level ? "comma or end" : "nothing";
    } else if (valueMayStand && (mark === "{" || mark === "[")) {
      levels.push(mark === "{" ? { names: new Set(), at: "" } : { at: 0 });
      expected = mark === "{" ? "name or }" : "value or ]";
    } else if (nameMayStand && quoted !== undefined && level) {
      level.at = String(JSON.parse(quoted));
      if (level.names?.has(level.at) && twice.length < 10) {
        const path = fieldPath(levels.map(({ at }) => at));
        twice.push({ path, message: `is set twice (again in ${positionOf(text, start)}); keep one` });
      }
      level.names?.add(level.at);
      expected = "colon";
    } else if (expected === "colon" && mark === ":") {
      expected = "value";
    } else if (expected === "comma or end" && mark === "," && level) {
      if (typeof level.at === "number") level.at += 1;
      expected = level.names ? "name" : "value";
    } else if (closes || closesAfterValue) {
      levels.pop();
      expected = levels.length > 0 ? "comma or end" : "nothing";
    } else {
      return broken();
    }
  }
};

/**
 * The value of a JSON text. Node's own messages quote the text near the fault, which may be a password; ours say line and column.
 *
 * @throws {InvalidInputError} fatal: not JSON, or an object sets a name twice (the standard parser would drop the first silently)
 */
export const parseJson = (text: string): unknown => {
  const issues = findJsonIssues(text);
  if (issues.length > 0) throw new InvalidInputError(issues);
  return JSON.parse(text);
};
