import type { PhpToken } from "./phpLexer.ts";

export const isSymbol = (token: PhpToken | undefined, text: string): boolean =>
  token?.kind === "symbol" && token.text === text;

/** A word of PHP or the name of a function, which have no case; `\name` is the same one. */
export const isName = (token: PhpToken | undefined, text: string): boolean =>
  token?.kind === "name" && token.text.toLowerCase().replace(/^\\/, "") === text;
