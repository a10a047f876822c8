import { Cron } from "croner";

/** Cron's five fields: minute, hour, day of month, month, day of week. */
export interface CronSettings {
  readonly cron: string;
  /** Of the IANA database. */
  readonly timeZone: string;
}

const plain = /^[0-9*,/A-Za-z-]+$/;
const days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** What is wrong with five fields of cron, in words that follow the field's name; nothing when they are in order. */
export const cronProblem = (cron: string): string | undefined => {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5 || !fields.every((field) => plain.test(field)))
    return 'expected five fields of cron (minute, hour, day of month, month, day of week), such as "30 2 * * *"';
  if (fields[2] !== "*" && fields[4] !== "*")
    return "says both a day of the month and a day of the week; EventBridge Scheduler takes one: make the other *";
  try {
    const next = new Cron(cron.trim(), { mode: "5-part", timezone: "UTC" }).nextRun();
    return next ? undefined : "never comes; expected a day that exists";
  } catch {
    return 'expected five fields of cron with values in range, such as "30 2 * * 1-5"';
  }
};

/** Days of the week by name: AWS counts them from 1 for Sunday, cron from 0. */
const dayNames = (field: string): string =>
  field
    .split(",")
    .map((part) => {
      const [range = "", step] = part.split("/");
      const named = range.replace(/\d/g, (digit) => days[Number(digit) % 7] ?? digit);
      return step === undefined ? named : `${named}/${step}`;
    })
    .join(",");

/**
 * The same in EventBridge Scheduler's words: six fields with a year, days of the week by name, `?` for the day that is not
 * said. Source: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
 */
export const schedulerExpression = (cron: string): string => {
  const [minute, hour, day, month, weekday = "*"] = cron.trim().split(/\s+/);
  return weekday === "*"
    ? `cron(${minute} ${hour} ${day} ${month} ? *)`
    : `cron(${minute} ${hour} ? ${month} ${dayNames(weekday)} *)`;
};

/** The last moment before `at`, or at it, when the schedule came; nothing when it never did in the last years. */
export const lastDue = ({ cron, timeZone }: CronSettings, at: Date): Date | undefined => {
  const afterThisSecond = new Date((Math.floor(at.getTime() / 1000) + 1) * 1000);
  return new Cron(cron.trim(), { mode: "5-part", timezone: timeZone }).previousRuns(1, afterThisSecond)[0];
};

/** The next moment after `at` when the schedule comes. */
export const nextDue = ({ cron, timeZone }: CronSettings, at: Date): Date | undefined =>
  new Cron(cron.trim(), { mode: "5-part", timezone: timeZone }).nextRun(at) ?? undefined;
