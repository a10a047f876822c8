import { quoteName } from "@openemr-ops/database/identifiers";
import type { ExportedColumn, TableColumn } from "./profile.ts";
import { zip3 } from "./zip.ts";

/** Whether values of a column are days or moments. */
export const isDate = ({ dataType }: TableColumn): boolean => /^(?:date|datetime|timestamp)$/.test(dataType);

/** Whether values of a column cannot be judged by what the column is for: bytes, and times of a day. */
export const isOpaque = ({ dataType }: TableColumn): boolean =>
  /binary|blob|^bit$|^time$|geom|point|polygon|linestring/.test(dataType);

export const kept = ({ name }: TableColumn): ExportedColumn => ({ name, treatment: "kept" });

/**
 * The year alone. An earlier year than `firstYear` becomes that year, for it would show that somebody is 90 or older. A zero
 * date has no year.
 */
export const yearOf = ({ name }: TableColumn, firstYear: number): ExportedColumn => ({
  name,
  expression: `GREATEST(NULLIF(YEAR(${quoteName(name)}), 0), ${firstYear})`,
  treatment: `year; ${firstYear} means ${firstYear} or earlier`,
});

/** Up to two letters, a sign, up to three digits, a fraction: no word, no long number. Abbreviations of eye examinations. */
const measuredValue =
  "^([A-Za-z]{0,2} ?[-+]?([0-9]{1,3}|[0-9]{0,3}[.][0-9]{1,3}|[0-9]{1,3}/[0-9]{1,3})[-+]?[0-9]?[A-Za-z]{0,2}|CF|HM|LP|NLP|NI)$";

export const measured = ({ name }: TableColumn): ExportedColumn => ({
  name,
  expression: `CASE WHEN ${quoteName(name)} REGEXP '${measuredValue}' THEN ${quoteName(name)} END`,
  treatment: "kept where it looks like a measured value",
});

export const pseudonym = (
  { name, dataType }: TableColumn,
  subject: string,
  transform: (text: Buffer) => string | undefined,
): ExportedColumn => ({
  name,
  // Bytes are no text.
  ...(/binary|blob/.test(dataType) ? { expression: `HEX(${quoteName(name)})` } : {}),
  transform,
  treatment: `pseudonym, subject ${subject}`,
});

/**
 * An order of rows that has nothing to do with their numbers. In the order of the server, the first patient is number 1.
 *
 * @param salt another one gives another order
 */
export const shuffledBy = (columns: readonly TableColumn[], salt: string): string | undefined =>
  columns.length === 0
    ? undefined
    : `SHA2(CONCAT_WS('|', '${salt}', ${columns.map(({ name }) => `CAST(${quoteName(name)} AS BINARY)`).join(", ")}), 256)`;

const texts = (words: string): string =>
  words
    .split(",")
    .map((word) => `'${word.trim()}'`)
    .join(", ");
const country = texts("US, USA, UNITED STATES, UNITED STATES OF AMERICA, PR, PUERTO RICO");
const state = texts(
  "AL, AK, AZ, AR, CA, CO, CT, DE, DC, FL, GA, HI, ID, IL, IN, IA, KS, KY, LA, ME, MD, MA, MI, MN, MS, MO, MT, NE, NV, NH, NJ, NM, NY, NC, ND, OH, OK, OR, PA, PR, RI, SC, SD, TN, TX, UT, VT, VA, WA, WV, WI, WY",
);

/**
 * Three digits of a ZIP code. Where the country is named, it has to be the United States; where it is not, the state has to be
 * one of theirs: three digits of another country's code can be a village.
 *
 * @param place columns of the same row, as far as the table has them
 */
export const zipOf = (
  { name }: TableColumn,
  place: { readonly country: string | undefined; readonly state: string | undefined },
): ExportedColumn => {
  const wordIn = (column: string | undefined) =>
    column === undefined ? "''" : `UPPER(TRIM(COALESCE(${quoteName(column)}, '')))`;
  const [where, region] = [wordIn(place.country), wordIn(place.state)];
  return {
    name,
    expression: `CASE WHEN ${where} IN (${country}) OR (${where} = '' AND ${region} IN (${state})) THEN ${quoteName(name)} END`,
    transform: zip3,
    treatment: "first three digits in the United States, 000 for areas of few people",
  };
};
