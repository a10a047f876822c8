/** Rows of a table on their way to a digest, with each number in JSON written one way. */
export interface JsonNumbers {
  /** Bytes of rows as SQL; the answer may lack a number that is not whole yet. */
  take(run: Buffer): Buffer;
}

const [quote, backslash, comma, open, close, doubleQuote] = [..."'\\,()\""].map((mark) => mark.charCodeAt(0));
/** 1 for each of these bytes. */
const among = (bytes: string): Uint8Array => {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(bytes)) table[byte] = 1;
  return table;
};
const beginsNumber = among("-0123456789");
const inNumber = among("-+.0123456789eE");

/** Characters of a number; MySQL's have fewer. What is longer stays as it is, and is not gathered. */
const longest = 128;
const integer = /^-?\d+$/;
const [least, most] = [-(2n ** 63n), 2n ** 64n - 1n];

/**
 * A number as MySQL has it once it was read from text: an integer of 64 bits, or else a double, of which one text is as good
 * as another. `5` and `5.0` stay two.
 */
const oneForm = (number: string): string => {
  if (number.length > longest || (number.length < 16 && integer.test(number))) return number;
  if (integer.test(number) && BigInt(number) >= least && BigInt(number) <= most) return number;
  const double = Object.is(Number(number), -0) ? "-0" : `${Number(number)}`;
  return integer.test(double) ? `${double}.0` : double;
};

/**
 * Rewrites numbers in columns of MySQL's type JSON. MySQL itself can put a DECIMAL into JSON, such as 1.50, and no text that
 * is loaded makes one again: the copy has 1.5.
 *
 * @param isJson for each value of a row
 */
export const jsonNumbers = (isJson: readonly boolean[]): JsonNumbers => {
  let column = 0;
  let inRow = false;
  let inText = false; // a string of SQL
  let escaped = false; // by a backslash of SQL
  let inString = false; // of JSON
  let stringEscaped = false; // by a backslash of JSON
  let begun = ""; // of a number that the bytes before ended in

  const begin = (next: number): void => {
    column = next;
    inString = false;
    stringEscaped = false;
  };

  /** A byte of a JSON text, without SQL's escapes. */
  const follow = (byte: number): void => {
    if (!inString) inString = byte === doubleQuote;
    else if (stringEscaped) stringEscaped = false;
    else if (byte === backslash) stringEscaped = true;
    else inString = byte !== doubleQuote;
  };

  const outside = (byte: number): void => {
    if (byte === quote) inText = true;
    else if (byte === comma && inRow) begin(column + 1);
    else if (byte === open || byte === close) {
      inRow = byte === open;
      begin(0);
    }
  };

  return {
    take: (run) => {
      const parts: Buffer[] = [];
      let from = 0; // what was not handed on
      let number = begun === "" ? -1 : 0; // where it begins
      const end = (at: number): void => {
        const written = begun + run.toString("latin1", number, at);
        const one = oneForm(written);
        if (one !== written || begun !== "") {
          parts.push(run.subarray(from, number), Buffer.from(one));
          from = at;
        }
        begun = "";
        number = -1;
      };
      for (let at = 0; at < run.length; at++) {
        const byte = run[at] as number;
        if (!inText) {
          outside(byte);
          continue;
        }
        if (number >= 0) {
          if (inNumber[byte] === 1) continue;
          end(at);
        }
        if (escaped) {
          escaped = false;
          if (isJson[column]) follow(byte);
        } else if (byte === backslash) escaped = true;
        else if (byte === quote) inText = false;
        else if (isJson[column]) {
          if (!inString && beginsNumber[byte] === 1) number = at;
          else follow(byte);
        }
      }
      if (number < 0) return parts.length === 0 ? run : Buffer.concat([...parts, run.subarray(from)]);
      if (begun.length + run.length - number > longest) {
        const all = [...parts, Buffer.from(begun), run.subarray(from)];
        begun = "";
        return Buffer.concat(all);
      }
      begun += run.toString("latin1", number);
      return Buffer.concat([...parts, run.subarray(from, number)]);
    },
  };
};
