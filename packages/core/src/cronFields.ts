/** The moments of a schedule, field by field: which values fit, ascending; `every` when the field says `*`. */
export interface CronField {
  readonly every: boolean;
  readonly values: readonly number[];
}

export interface CronFields {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly day: CronField;
  readonly month: CronField;
  /** From 0 for Sunday. */
  readonly weekday: CronField;
}

interface Range {
  readonly name: keyof CronFields;
  readonly first: number;
  readonly last: number;
  /** Names of the values, from the first one on. */
  readonly names?: readonly string[];
}

export const weekdayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] as const;
const monthNames = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const ranges: readonly Range[] = [
  { name: "minute", first: 0, last: 59 },
  { name: "hour", first: 0, last: 23 },
  { name: "day", first: 1, last: 31 },
  { name: "month", first: 1, last: 12, names: monthNames },
  { name: "weekday", first: 0, last: 7, names: weekdayNames }, // 7 is Sunday too
];

const shape = 'expected five fields of cron (minute, hour, day of month, month, day of week), such as "30 4 * * *"';
const wrongValue = 'expected five fields of cron with values in range, such as "30 4 * * 1-5"';

/** What cron's dialects understand differently, or not at all, and what to write instead. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/\?/, "write * for a day that is not said"],
  [/#/, 'no schedule comes on the nth weekday; write days of the month, such as "0 4 1-7 * *", or each such weekday'],
  [/\d+W|LW/i, 'no schedule comes on the nearest weekday; write days of the week, such as "0 4 * * MON-FRI"'],
  [/L/i, 'no schedule comes on the last day; write a day that every month has, such as "0 4 28 * *"'],
  [/^[^*-]+\/|^[^*]*,[^-,]+\//, "write a step with its range, such as 5-59/15 for 5/15"],
];

/** A field that cannot be said, in words that follow the schedule's name. */
class Unsayable extends Error {}

const withoutNames = (field: string): string => field.replace(/[A-Z]{3}/gi, (name) => (isName(name) ? "" : name));
const isName = (text: string): boolean => [...weekdayNames, ...monthNames].some((name) => name === text.toUpperCase());

const numberIn = (text: string, { first, last, names }: Range): number => {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  const value = named >= 0 ? first + named : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= first && value <= last)) throw new Unsayable(wrongValue);
  return value;
};

const part = (text: string, range: Range): readonly number[] => {
  const [, span = "", step = "1"] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const every = Number(step);
  const lastOfStar = range.name === "weekday" ? 6 : range.last;
  const [from = "", to = from, ...more] = span.split("-");
  if (span === "" || more.length > 0 || every < 1 || every > range.last) throw new Unsayable(wrongValue);
  const [start, end] = span === "*" ? [range.first, lastOfStar] : [numberIn(from, range), numberIn(to, range)];
  if (start > end)
    throw new Unsayable(`says ${span}, which ends before it starts; write two ranges with a comma between them`);
  return Array.from({ length: Math.floor((end - start) / every) + 1 }, (_, index) => start + index * every);
};

const fieldOf = (text: string, range: Range): CronField => {
  for (const [pattern, instead] of foreign)
    if (pattern.test(withoutNames(text))) throw new Unsayable(`says ${text}; ${instead}`);
  const values = text.split(",").flatMap((one) => part(one, range));
  const known = range.name === "weekday" ? values.map((value) => value % 7) : values;
  return { every: text === "*", values: [...new Set(known)].sort((one, other) => one - other) };
};

/**
 * Reads five fields of cron: values, ranges, steps of `*` or of a range, lists of these; days of the week and months also by
 * name. Both EventBridge Scheduler and cron understand that, and nothing else is accepted. A text says what is wrong, in words
 * that follow the field's name.
 */
export const readCron = (cron: string): CronFields | string => {
  const texts = cron.trim().split(/\s+/);
  if (texts.length !== 5 || !texts.every((text) => /^[0-9*,/A-Za-z?#-]+$/.test(text))) return shape;
  try {
    const [minute, hour, day, month, weekday] = ranges.map((range, index) => fieldOf(texts[index] ?? "", range));
    if (!minute || !hour || !day || !month || !weekday) return shape;
    if (!day.every && !weekday.every)
      return "says both a day of the month and a day of the week; EventBridge Scheduler takes one: make the other *";
    return { minute, hour, day, month, weekday };
  } catch (error) {
    if (error instanceof Unsayable) return error.message;
    throw error;
  }
};
