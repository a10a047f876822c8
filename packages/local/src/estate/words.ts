import type { Random } from "./random.ts";

const syllables =
  "ba be bo da del dor fa fen gal gor ha hel in jo ka kel la len lo ma mar mir na nel no or pa per ra ren ro sa sel ta ten to va vel wen yo".split(
    " ",
  );
const nouns =
  "visit follow-up referral result intake consult screening vaccination renewal dressing transfer discharge".split(" ");
const adjectives = "routine urgent planned yearly first second late open remote brief extended joint".split(" ");
const accents = ["é", "ü", "ñ", "ø", "ł", "ç", "å", "山", "ا", "😀"];

/** A made-up name; now and then with a letter that only careful software keeps. */
export const nameOf = (random: Random): string => {
  let name = random.pick(syllables) + random.pick(syllables);
  if (random.chance(0.4)) name += random.pick(syllables);
  if (random.chance(0.06)) name += random.pick(accents);
  if (random.chance(0.03)) name = `o'${name}`;
  return name.charAt(0).toUpperCase() + name.slice(1);
};

/** A few words that sound like a reason for a visit. */
export const phraseOf = (random: Random): string =>
  `${random.pick(adjectives)} ${random.pick(nouns)}, ${random.pick(adjectives)} ${random.pick(nouns)}`;

/** Free text of so many sentences; some with quotes, backslashes, tabs and line ends, as people type them. */
export const textOf = (random: Random, sentences: number): string => {
  const parts: string[] = [];
  for (let index = 0; index < sentences; index++) {
    parts.push(`${phraseOf(random)} ${random.int(10_000)}${random.chance(0.1) ? ` "it's\\fine"\t` : ""}.`);
  }
  return parts.join(random.chance(0.3) ? "\r\n" : " ");
};

const firstDay = Date.UTC(2019, 0, 7, 7);
const days = 2_700;

/** A moment of the estate's years in UTC, in steps of a second; `position` runs from 0 (the first day) to 1 (the last). */
export const momentOf = (position: number): Date => new Date(firstDay + Math.floor(position * days * 86_400) * 1000);

/** As SQL's DATETIME. */
export const sqlTime = (moment: Date): string =>
  `${moment.toISOString().slice(0, 10)} ${moment.toISOString().slice(11, 19)}`;
/** As SQL's DATE. */
export const sqlDate = (moment: Date): string => moment.toISOString().slice(0, 10);
