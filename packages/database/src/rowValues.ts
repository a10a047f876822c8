const quote = 39;
const backslash = 92;
const comma = 44;
const closing = 41;

/** Behind the closing quote of a string whose first quote is at `start`. */
const endOfString = (row: Buffer, start: number): number => {
  let at = start + 1;
  for (;;) {
    while (row[at] !== quote && row[at] !== backslash) at++;
    if (row[at] === backslash) at += 2;
    else if (row[at + 1] === quote) at += 2;
    else return at + 1;
  }
};

/**
 * Cuts a row as SQL, `(…)`, into its literals, up to the last one that is asked for. The row has passed the grammar of
 * `acceptedRows`, so nothing but literals and commas is in it.
 *
 * @param positions of the columns, counted from 0
 */
export const literalsAt = (row: Buffer, positions: readonly number[]): readonly (Buffer | undefined)[] => {
  const found: (Buffer | undefined)[] = positions.map(() => undefined);
  const last = Math.max(...positions);
  let at = 1; // behind the parenthesis
  for (let position = 0; position <= last && at < row.length; position++) {
    const start = at;
    if (row[at] === quote) at = endOfString(row, at);
    else while (row[at] !== comma && row[at] !== closing) at++;
    positions.forEach((wanted, index) => {
      if (wanted === position) found[index] = row.subarray(start, at);
    });
    if (row[at] === closing) break;
    at++;
  }
  return found;
};

const escapes: Readonly<Record<string, string>> = { 0: "\0", n: "\n", r: "\r", Z: "\x1a" };

/** The value that a literal stands for, as text; of `0x…` one character a byte. */
export const literalValue = (literal: Buffer): string | null => {
  if (literal[0] === quote) {
    const inner = literal.toString("utf8", 1, literal.length - 1);
    return inner.replace(/\\([\s\S])|''/g, (pair, letter?: string) =>
      letter === undefined ? pair.slice(1) : (escapes[letter] ?? letter),
    );
  }
  const text = literal.toString("latin1");
  if (text === "NULL") return null;
  return text.startsWith("0x") ? Buffer.from(text.slice(2), "hex").toString("latin1") : text;
};
