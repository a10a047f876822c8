/** Follows the rows of INSERT statements over any pieces. */
export interface RowsReader {
  /** Reads bytes that go on where the last ended. False: a byte is none that a dump's rows have there. */
  accepts(chunk: Buffer): boolean;
  /** Whether the last byte read ended a statement, or none was read. */
  ended(): boolean;
}

const states = [
  ...["refused", "rowOrLine", "valueStart", "text", "escaped", "textEnd", "minus", "zero", "integer", "point"],
  ...["fraction", "exponent", "exponentSign", "exponentDigits", "hexStart", "hex", "n", "nu", "nul", "null", "rowEnd"],
  ...["rowComma", "semicolon", "ended"],
] as const;
type State = (typeof states)[number];
const numberOf = (state: State): number => states.indexOf(state);

const digits = "0123456789";
const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");

/**
 * Which state follows which on which bytes. A row is `(…)` with a comma or a semicolon and a line feed behind it; within
 * it only literals: numbers, `0x…`, NULL, and strings in single quotes, which never hold a raw line feed.
 */
const rules: readonly (readonly [from: State, bytes: string, to: State])[] = [
  ["rowOrLine", "(", "valueStart"],
  ["valueStart", "'", "text"],
  ["valueStart", "-", "minus"],
  ["valueStart", "0", "zero"],
  ["valueStart", digits.slice(1), "integer"],
  ["valueStart", "N", "n"],
  ["text", everyByte.replace(/[\n'\\]/g, ""), "text"],
  ["text", "\\", "escaped"],
  ["text", "'", "textEnd"],
  ["escaped", everyByte.replace("\n", ""), "text"],
  ["textEnd", "'", "text"],
  ["minus", digits, "integer"],
  ["zero", "x", "hexStart"],
  ["zero", digits, "integer"],
  ...(["zero", "integer"] as const).flatMap(
    (from) =>
      [
        [from, ".", "point"],
        [from, "eE", "exponent"],
      ] as const,
  ),
  ["integer", digits, "integer"],
  ["point", digits, "fraction"],
  ["fraction", digits, "fraction"],
  ["fraction", "eE", "exponent"],
  ["exponent", "+-", "exponentSign"],
  ["exponent", digits, "exponentDigits"],
  ["exponentSign", digits, "exponentDigits"],
  ["exponentDigits", digits, "exponentDigits"],
  ["hexStart", `${digits}abcdefABCDEF`, "hex"],
  ["hex", `${digits}abcdefABCDEF`, "hex"],
  ["n", "U", "nu"],
  ["nu", "L", "nul"],
  ["nul", "L", "null"],
  ...(["textEnd", "zero", "integer", "fraction", "exponentDigits", "hex", "null"] as const).flatMap(
    (from) =>
      [
        [from, ",", "valueStart"],
        [from, ")", "rowEnd"],
      ] as const,
  ),
  ["rowEnd", ",", "rowComma"],
  ["rowEnd", ";", "semicolon"],
  ["rowComma", "\n", "rowOrLine"],
  ["semicolon", "\n", "ended"],
  ["ended", "(", "valueStart"],
];

const table = new Uint8Array(states.length * 256); // all else is refused
for (const [from, bytes, to] of rules)
  for (const byte of bytes) table[numberOf(from) * 256 + byte.charCodeAt(0)] = numberOf(to);

const [refused, text, hex, ended] = [numberOf("refused"), numberOf("text"), numberOf("hex"), numberOf("ended")];
const inHex = table.slice(hex * 256, (hex + 1) * 256).map((to) => (to === hex ? 1 : 0));
const quote = 39;
const backslash = 92;
const newline = 10;
/** Letters of a string read one by one before a native search for its end is worth its call. */
const shortText = 48;

const placeOf = (chunk: Buffer, byte: number, from: number): number => {
  const at = chunk.indexOf(byte, from);
  return at < 0 ? chunk.length : at;
};

export const rowsReader = (): RowsReader => {
  let state = ended;

  const accepts = (chunk: Buffer): boolean => {
    const { length } = chunk;
    let at = 0;
    let escaping = -1; // where the next backslash and line feed are; behind the last byte: there is none
    let line = -1;
    while (at < length) {
      if (state === text) {
        const near = Math.min(length, at + shortText);
        let byte = 0;
        for (; at < near; at++) {
          byte = chunk[at] as number;
          if (byte === quote || byte === backslash || byte === newline) break;
        }
        if (at === near && near < length) {
          if (escaping < at) escaping = placeOf(chunk, backslash, at);
          if (line < at) line = placeOf(chunk, newline, at);
          at = Math.min(placeOf(chunk, quote, at), escaping, line);
        }
        if (at >= length) return true;
      } else if (state === hex) {
        while (at < length && inHex[chunk[at] as number] === 1) at++;
        if (at >= length) return true;
      }
      state = table[state * 256 + (chunk[at] as number)] as number;
      if (state === refused) return false;
      at++;
    }
    return true;
  };

  return { accepts, ended: () => state === ended };
};
