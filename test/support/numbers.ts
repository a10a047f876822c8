/** A derived table with column `n` from 1 to `last`, at most 100,000, as every product reads it. */
export const numbers = (last: number): string => {
  const digits = `(${Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(" UNION ALL ")})`;
  const places = [1, 10, 100, 1000, 10_000];
  const sum = places.map((place, index) => `p${index}.d * ${place}`).join(" + ");
  const from = places.map((_, index) => `${digits} AS p${index}`).join(" CROSS JOIN ");
  return `(SELECT ${sum} + 1 AS n FROM ${from} HAVING n <= ${last}) AS numbers`;
};
