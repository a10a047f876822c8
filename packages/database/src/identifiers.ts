/** Quotes a name for SQL. Source: MariaDB knowledge base, "Identifier names". */
export const quoteName = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

/** Reads a quoted name at the start of a text. */
export const unquoteName = (text: string): string | undefined => {
  const match = /^`((?:[^`]|``)*)`/.exec(text);
  return match?.[1]?.replaceAll("``", "`");
};

/** Names that a line-based dump cannot carry. */
export const hasControlCharacter = (name: string): boolean =>
  [...name].some((letter) => letter.charCodeAt(0) < 32 || letter.charCodeAt(0) === 127);
