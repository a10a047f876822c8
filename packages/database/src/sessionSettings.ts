import type { Token, TokenReader } from "./sqlTokens.ts";

const settable = new Set([
  ...["CHARACTER_SET_CLIENT", "CHARACTER_SET_RESULTS", "COLLATION_CONNECTION", "TIME_ZONE", "SQL_MODE", "SQL_NOTES"],
  ...["UNIQUE_CHECKS", "FOREIGN_KEY_CHECKS", "NOTE_VERBOSITY", "AUTOCOMMIT"],
]);
const keptAside = /^(?:OLD|SAVED?)_\w+$/i;

/** One setting: `name` in upper case, with `@` in front where it is a variable that keeps a value aside. */
export interface Setting {
  readonly name: string;
  /** A word, a number or a string; `@name` of a variable; `@@name` of what is set now. */
  readonly value: string;
}

const variable = (reader: TokenReader): string | undefined => {
  if (!reader.mark("@")) return undefined;
  if (!reader.mark("@")) {
    const name = reader.ownName() ?? "";
    return keptAside.test(name) ? `@${name.toUpperCase()}` : undefined;
  }
  const name = reader.ownName()?.toUpperCase() ?? "";
  return settable.has(name) ? `@@${name}` : undefined;
};

const plain = (token: Token | undefined): string | undefined => {
  if (token?.kind === "string" && token.text.startsWith("'") && /^'[\w ,+:/-]*'$/.test(token.text))
    return token.text.slice(1, -1);
  return token?.kind === "word" || token?.kind === "number" ? token.text : undefined;
};

/**
 * Reads `SET …` as mariadb-dump writes it: settings of the session alone, from a fixed list.
 *
 * @returns undefined where it is anything else; the reader stands somewhere then
 */
export const readSettings = (reader: TokenReader): readonly Setting[] | undefined => {
  if (!reader.words("SET")) return undefined;
  if (reader.words("NAMES")) {
    const charset = plain(reader.take());
    return charset === undefined ? undefined : [{ name: "CHARACTER_SET_CLIENT", value: charset }];
  }
  const settings: Setting[] = [];
  do {
    const aside = reader.next?.kind === "mark" ? variable(reader)?.replace(/^@@/, "") : undefined;
    const name = aside ?? reader.ownName()?.toUpperCase() ?? "";
    if (!aside && !settable.has(name)) return undefined;
    if (!reader.mark("=")) return undefined;
    const value = reader.next?.kind === "mark" ? variable(reader) : plain(reader.take());
    if (value === undefined) return undefined;
    settings.push({ name, value });
  } while (reader.mark(","));
  return settings;
};
