import { randomInt } from "node:crypto";

const letters = "abcdefghijklmnopqrstuvwxyz0123456789";

/**
 * The name of one export of a database, and of its folder: the moment it began, and letters that no other has. Sorts by time.
 *
 * @param random gives whole numbers from 0 up to what it is asked for, that one excluded; the system's own when not set
 */
export const newExportId = (now: Date, random: (most: number) => number = randomInt): string => {
  const moment = now.toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  const own = Array.from({ length: 8 }, () => letters[random(letters.length)]).join("");
  return `${moment}-${own}`;
};

const pattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[a-z0-9]{8}$/;

/** When an export began, by its name; `undefined` for what is no name of an export. */
export const exportTime = (exportId: string): Date | undefined => {
  const [, year, month, day, hour, minute, second] = pattern.exec(exportId) ?? [];
  if (year === undefined) return undefined;
  const moment = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
};
