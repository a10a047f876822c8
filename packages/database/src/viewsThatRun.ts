import { quoteName } from "./identifiers.ts";

export interface LookedAtView {
  readonly name: string;
  /** As information_schema has it: names are quoted, those of the server's own functions are not. */
  readonly definition: string;
  /** SQL SECURITY INVOKER: functions run with the rights of whoever looks. */
  readonly asInvoker: boolean;
}

const call = /`(?:[^`]|``)*`\(/g;

/** What stands between the bracket that a call opens and its own end. */
const argumentsFrom = (text: string, start: number): string => {
  let depth = 1;
  let at = start;
  for (; at < text.length && depth > 0; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")") depth--;
  }
  return text.slice(start, at);
};

/** Whether it calls a stored function with constants alone. The server may do that when it merely opens the view. */
const callsWithConstants = (definition: string): boolean =>
  [...definition.matchAll(call)].some(
    ({ index, 0: { length } }) =>
      !argumentsFrom(definition, index + length)
        .replace(call, "(")
        .includes("`"),
  );

/**
 * Views that the server may run a stored function for, with our rights, when their columns or their text are asked for: as
 * `… LIKE … ESCAPE f(1)` and `ROUND(…, f(1))` make MariaDB do; and views that read from such ones. Reading their text here
 * in information_schema runs nothing.
 */
export const viewsThatRun = (schema: string, views: readonly LookedAtView[]): readonly string[] => {
  const found = new Set<string>();
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { name, definition, asInvoker } of views)
      if (
        (asInvoker && callsWithConstants(definition)) ||
        [...found].some((other) => definition.includes(`${quoteName(schema)}.${quoteName(other)}`))
      )
        found.add(name);
  }
  return views.map(({ name }) => name).filter((name) => found.has(name));
};
