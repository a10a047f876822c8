import { InvalidInputError } from "@openemr-ops/core/errors";
import { isObject, type Json, type JsonObject, listAt, maybeObject, maybeText, objectAt, textAt } from "./json.ts";

/** Whether an event fits. */
export type EventPattern = (event: JsonObject) => boolean;

type Test = (value: Json | undefined) => boolean;

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

const compare: Readonly<Record<string, (found: number, wanted: number) => boolean>> = {
  "=": (found, wanted) => found === wanted,
  "<": (found, wanted) => found < wanted,
  "<=": (found, wanted) => found <= wanted,
  ">": (found, wanted) => found > wanted,
  ">=": (found, wanted) => found >= wanted,
};

const numeric = (argument: Json, path: string): Test => {
  const words = listAt(argument, path);
  const tests: ((found: number) => boolean)[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const test = compare[String(words[at])] ?? refuse(path, `compares by ${String(words[at])}`);
    const wanted = Number(words[at + 1]);
    tests.push((found) => test(found, wanted));
  }
  return (value) => typeof value === "number" && tests.every((test) => test(value));
};

const anythingBut = (argument: Json, path: string): Test => {
  if (isObject(argument)) {
    const not = operator(argument, path);
    return (value) => value !== undefined && !not(value);
  }
  const unwanted = Array.isArray(argument) ? argument : [argument];
  return (value) => value !== undefined && !unwanted.includes(value);
};

const onText =
  (test: (value: string) => boolean): Test =>
  (value) =>
    typeof value === "string" && test(value);

const operator = (words: JsonObject, path: string): Test => {
  const [[name = "", argument = null] = [], ...more] = Object.entries(words);
  if (more.length > 0) return refuse(path, "has several operators in one object");
  switch (name) {
    case "prefix":
      return onText((value) => value.startsWith(textAt(argument, path)));
    case "suffix":
      return onText((value) => value.endsWith(textAt(argument, path)));
    case "equals-ignore-case":
      return onText((value) => value.toLowerCase() === textAt(argument, path).toLowerCase());
    case "exists":
      return (value) => (value !== undefined) === argument;
    case "anything-but":
      return anythingBut(argument, path);
    case "numeric":
      return numeric(argument, path);
    default:
      return refuse(path, `matches by ${name}, which the local cloud does not know`);
  }
};

const leaf = (allowed: readonly Json[], path: string): Test => {
  const tests = allowed.map((one): Test => (isObject(one) ? operator(one, path) : (value) => value === one));
  return (value) =>
    Array.isArray(value) ? value.some((item) => tests.some((test) => test(item))) : tests.some((test) => test(value));
};

const node = (pattern: JsonObject, path: string): EventPattern => {
  const fields = Object.entries(pattern).map(([name, wanted]): EventPattern => {
    const where = `${path}.${name}`;
    if (name === "$or") {
      const options = listAt(wanted, where).map((option) => node(objectAt(option, where), where));
      return (event) => options.some((option) => option(event));
    }
    if (Array.isArray(wanted)) {
      const test = leaf(wanted, where);
      return (event) => test(event[name]);
    }
    const below = node(objectAt(wanted, where), where);
    return (event) => below(maybeObject(event[name]));
  });
  return (event) => fields.every((field) => field(event));
};

/**
 * EventBridge's rule of matching: every named field must be there with one of the listed values, other fields do not
 * matter. Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html.
 *
 * @throws {InvalidInputError} an operator that is not known here
 */
export const eventPattern = (pattern: JsonObject, path: string): EventPattern => node(pattern, path);

const at = (event: JsonObject, path: string): Json | undefined =>
  path
    .replace(/^\$\.?/, "")
    .split(".")
    .filter(Boolean)
    .reduce<Json | undefined>((value, name) => maybeObject(value)[name], event);

/** What a rule's target gets of an event: the whole, a part, a fixed text or a filled-in form. */
export const targetInput = (
  event: JsonObject,
  {
    input,
    inputPath,
    transformer,
  }: { readonly input?: string; readonly inputPath?: string; readonly transformer?: JsonObject },
): Json => {
  if (input !== undefined) return JSON.parse(input);
  if (inputPath !== undefined) return at(event, inputPath) ?? null;
  if (!transformer) return event;
  const paths = maybeObject(transformer.InputPathsMap);
  const template = textAt(transformer.InputTemplate, "InputTemplate");
  const value = (name: string) => at(event, maybeText(paths[name]) ?? "") ?? null;
  const filled = template.replaceAll(/"(?:[^"\\]|\\.)*"|<(\w+)>/g, (text, name: string | undefined) =>
    name === undefined
      ? text.replaceAll(/<(\w+)>/g, (_, inner: string) => JSON.stringify(String(value(inner))).slice(1, -1))
      : JSON.stringify(value(name)),
  );
  return JSON.parse(filled);
};
