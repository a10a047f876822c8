/** Letters, digits and two marks that every store, Hive and shells take as they are. */
const plain = /[A-Za-z0-9_-]/;
/** Of a name, where a path has room for a schema's beside it. */
const longest = 110;

/** Other characters as `!` and the hexadecimal number of each byte in UTF-8: names that differ stay different. */
const escaped = (letter: string): string =>
  [...Buffer.from(letter)].map((byte) => `!${byte.toString(16).padStart(2, "0")}`).join("");

const part = (name: string, isFirst: boolean): string =>
  [...name]
    // Readers of directories pass over what begins with `_`.
    .map((letter, index) =>
      plain.test(letter) && !(isFirst && index === 0 && letter === "_") ? letter : escaped(letter),
    )
    .join("");

/**
 * The directory of a table's files. Names of tables can hold anything; a key cannot, and less can Athena.
 *
 * @param index of the table, which tells very long names apart
 */
export const directoryOf = (schema: string, table: string, index: number): string => {
  const [first, second] = [part(schema, true), part(table, false)];
  const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 8)}!x${index}` : text);
  return `${cut(first)}.${cut(second)}`;
};
