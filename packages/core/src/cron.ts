import { Cron } from "croner";
import { type CronField, type CronFields, readCron, weekdayNames } from "./cronFields.ts";
import { firstMomentOf, offsetAt, type WallTime } from "./wallClock.ts";

/** Cron's five fields: minute, hour, day of month, month, day of week. */
export interface CronSettings {
  readonly cron: string;
  /** Of the IANA database. */
  readonly timeZone: string;
}

/** More characters than EventBridge Scheduler takes. */
const longestExpression = 256;

/** Values with a comma between them, and a dash between the first and the last of three or more that follow one another. */
const listed = ({ every, values }: CronField, name: (value: number) => string = String): string => {
  if (every) return "*";
  const runs: number[][] = [];
  for (const value of values) {
    const run = runs.at(-1);
    if (run && run.at(-1) === value - 1) run.push(value);
    else runs.push([value]);
  }
  return runs
    .flatMap((run) => {
      const [first = 0] = run;
      return run.length > 2 ? [`${name(first)}-${name(run.at(-1) ?? first)}`] : run.map(name);
    })
    .join(",");
};

const weekdayName = (value: number): string => weekdayNames[value] ?? "";

const expressionOf = ({ minute, hour, day, month, weekday }: CronFields): string =>
  weekday.every
    ? `cron(${listed(minute)} ${listed(hour)} ${listed(day)} ${listed(month)} ? *)`
    : `cron(${listed(minute)} ${listed(hour)} ? ${listed(month)} ${listed(weekday, weekdayName)} *)`;

const wallClock = ({ minute, hour, day, month, weekday }: CronFields): Cron =>
  new Cron([minute, hour, day, month, weekday].map((field) => listed(field)).join(" "), {
    mode: "5-part",
    timezone: "UTC",
  });

const fieldsOf = (cron: string): CronFields => {
  const fields = readCron(cron);
  if (typeof fields === "string") throw new TypeError(`a schedule ${fields}`);
  return fields;
};

/** What is wrong with five fields of cron, in words that follow the field's name; nothing when they are in order. */
export const cronProblem = (cron: string): string | undefined => {
  const fields = readCron(cron);
  if (typeof fields === "string") return fields;
  if (!wallClock(fields).nextRun()) return "never comes; expected a day that exists";
  if (expressionOf(fields).length > longestExpression)
    return "says more values than EventBridge Scheduler takes; write fewer";
  return undefined;
};

/**
 * The same in EventBridge Scheduler's words: six fields with a year, days of the week by name, `?` for the day that is not
 * said, and values instead of steps, whose start the dialects understand differently.
 * Source: docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
 */
export const schedulerExpression = (cron: string): string => expressionOf(fieldsOf(cron));

/** Times at which a schedule comes by the clocks on the wall, one after the other, from a time that does not count. */
function* wallTimes(cron: string, from: WallTime, direction: "before" | "after"): Generator<WallTime> {
  const clock = wallClock(fieldsOf(cron));
  for (let at = new Date(from); ; ) {
    const next = direction === "after" ? clock.nextRun(at) : clock.previousRuns(1, at)[0];
    if (!next) return;
    yield next.getTime();
    at = next;
  }
}

/**
 * The last moment before `at`, or at it, when the schedule came; nothing when it never did in the last years. As EventBridge
 * Scheduler has it: a time that the clocks skip does not come, and one that they show twice comes the first time only.
 */
export const lastDue = ({ cron, timeZone }: CronSettings, at: Date): Date | undefined => {
  const moment = at.getTime();
  // Clocks that were set back a moment ago have shown later times than now.
  const ahead = Math.max(offsetAt(moment, timeZone), offsetAt(moment - 86_400_000, timeZone));
  const afterThisSecond = Math.floor(moment / 1000) * 1000 + 1000;
  for (const wall of wallTimes(cron, afterThisSecond + ahead, "before")) {
    const due = firstMomentOf(wall, timeZone);
    if (due !== undefined && due <= moment) return new Date(due);
  }
  return undefined;
};

/** The next moment after `at` when the schedule comes. */
export const nextDue = ({ cron, timeZone }: CronSettings, at: Date): Date | undefined => {
  const moment = at.getTime();
  for (const wall of wallTimes(cron, moment + offsetAt(moment, timeZone), "after")) {
    const due = firstMomentOf(wall, timeZone);
    if (due !== undefined && due > moment) return new Date(due);
  }
  return undefined;
};
