import { randomBytes } from "node:crypto";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const base32 = (value: bigint, length: number): string => {
  let text = "";
  for (let rest = value; text.length < length; rest >>= 5n) text = alphabet[Number(rest & 31n)] + text;
  return text;
};

/** A ULID: 48 bits of time, 80 random bits, sorts by time. Source: github.com/ulid/spec. */
export const ulid = (now: Date, random: (bytes: number) => Buffer = randomBytes): string =>
  base32(BigInt(now.getTime()), 10) + base32(BigInt(`0x${random(10).toString("hex")}`), 16);

export const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** The moment in a ULID. */
export const ulidTime = (id: string): Date => {
  let value = 0;
  for (const letter of id.slice(0, 10)) value = value * 32 + alphabet.indexOf(letter);
  return new Date(value);
};
