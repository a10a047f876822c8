import { randomInt } from "node:crypto";

/** In the order in which they sort. */
const letters = "0123456789abcdefghijklmnopqrstuvwxyz";

/**
 * The name of one export of a database, and of its folder: the second in which it began, then two letters for its milliseconds
 * and six that no other has. Sorts by time.
 *
 * @param random gives whole numbers from 0 up to what it is asked for, that one excluded; the system's own when not set
 */
export const newExportId = (now: Date, random: (most: number) => number = randomInt): string => {
  const moment = now.toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  const milliseconds = now.getUTCMilliseconds().toString(36).padStart(2, "0");
  const own = Array.from({ length: 6 }, () => letters[random(letters.length)]).join("");
  return `${moment}-${milliseconds}${own}`;
};

const pattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([a-z0-9]{2})[a-z0-9]{6}$/;

/** When an export began, by its name; `undefined` for what is no name of an export. */
export const exportTime = (exportId: string): Date | undefined => {
  const [, year, month, day, hour, minute, second, rest = ""] = pattern.exec(exportId) ?? [];
  if (year === undefined) return undefined;
  const moment = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`).getTime();
  const milliseconds = Number.parseInt(rest, 36);
  return Number.isNaN(moment) || milliseconds > 999 ? undefined : new Date(moment + milliseconds);
};
