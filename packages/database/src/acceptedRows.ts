/** Follows the rows of INSERT statements over any pieces. */
export interface RowsReader {
  /** Reads bytes that go on where the last ended. False: a byte is none that a dump's rows have there. */
  accepts(chunk: Buffer): boolean;
  /** Whether the last byte read ended a statement, or none was read. */
  ended(): boolean;
}

/** The first three are those that the reader looks at itself. */
const states = [
  ...["refused", "text", "hex"],
  ...["rowOrLine", "valueStart", "escaped", "textEnd", "minus", "zero", "integer", "point", "fraction", "exponent"],
  ...["exponentSign", "exponentDigits", "hexStart", "n", "nu", "nul", "null", "rowEnd", "rowComma", "semicolon"],
  "ended",
] as const;
type State = (typeof states)[number];
/** Where a state's row of the table begins. */
const rowOf = (state: State): number => states.indexOf(state) * 256;

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

const next = new Uint16Array(states.length * 256).fill(rowOf("refused"));
for (const [from, bytes, to] of rules) for (const byte of bytes) next[rowOf(from) + byte.charCodeAt(0)] = rowOf(to);

const [refused, text, hex, ended] = [rowOf("refused"), rowOf("text"), rowOf("hex"), rowOf("ended")];
/** 1 where a byte leaves the state as it is. */
const staysIn = (state: number): Uint8Array =>
  Uint8Array.from(next.subarray(state, state + 256), (to) => (to === state ? 1 : 0));
const inText = staysIn(text);
const inHex = staysIn(hex);
const quote = 39;
const backslash = 92;
const newline = 10;
/** Letters of a string read one by one before a native search for its end is worth its call; measured. */
const shortText = 160;

const placeOf = (chunk: Buffer, byte: number, from: number): number => {
  const at = chunk.indexOf(byte, from);
  return at < 0 ? chunk.length : at;
};

export const rowsReader = (): RowsReader => {
  let state = ended;

  const accepts = (chunk: Buffer): boolean => {
    const { length } = chunk;
    let now = state;
    let at = 0;
    let escaping = -1; // where the next backslash and line feed are; behind the last byte: there is none
    let line = -1;
    while (at < length && now !== refused) {
      if (now === text) {
        const near = Math.min(length, at + shortText);
        while (at < near && inText[chunk[at] as number] === 1) at++;
        if (at === near && near < length) {
          if (escaping < at) escaping = placeOf(chunk, backslash, at);
          if (line < at) line = placeOf(chunk, newline, at);
          at = Math.min(placeOf(chunk, quote, at), escaping, line);
        }
      } else if (now === hex) while (at < length && inHex[chunk[at] as number] === 1) at++;
      if (at === length) break;
      do now = next[now + (chunk[at++] as number)] as number;
      while (now > hex && at < length);
    }
    state = now;
    return now !== refused;
  };

  return { accepts, ended: () => state === ended };
};
