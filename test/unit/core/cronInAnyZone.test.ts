import { cronProblem, lastDue, nextDue, schedulerExpression } from "@openemr-ops/core/cron";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

/**
 * EventBridge Scheduler as its documentation has it, written without the product's code: the expression is compared with what
 * the clocks of the zone show, minute by minute or in steps of several. A time that they skip does not come; one that they show twice comes once.
 */
const schedulerModel = (
  expression: string,
  { timeZone, from, until, step = 1 }: { timeZone: string; from: Date; until: Date; step?: number },
): readonly string[] => {
  const [, inside = ""] = /^cron\((.*)\)$/.exec(expression) ?? [];
  const [minute = "", hour = "", day = "", month = "", weekday = "", year] = inside.split(" ");
  expect(year).toBe("*");
  expect([day, weekday].filter((field) => field === "?")).toHaveLength(1);
  const names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
  const number = (text: string) => (names.includes(text) ? names.indexOf(text) + 1 : Number(text));
  const says = (field: string, value: number): boolean =>
    field === "*" ||
    field === "?" ||
    field.split(",").some((part) => {
      const [first = "", last = first] = part.split("-");
      return number(first) <= value && value <= number(last);
    });
  const clocks = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    dateStyle: "short",
    timeStyle: "short",
  });
  const shown = new Set<string>();
  const due: string[] = [];
  for (let moment = from.getTime(); moment <= until.getTime(); moment += step * 60_000) {
    const wall = clocks.format(moment); // 29/03/2026, 03:00
    const [, d, m, y, h, min] = (/^(\d\d)\/(\d\d)\/(\d{4}), (\d\d):(\d\d)$/.exec(wall) ?? []).map(Number);
    if (d === undefined || m === undefined || y === undefined || h === undefined || min === undefined)
      throw new Error(`not understood: ${wall}`);
    const before = shown.has(wall);
    shown.add(wall);
    const dayOfWeek = new Date(Date.UTC(y, m - 1, d)).getUTCDay() + 1;
    if (!before && says(minute, min) && says(hour, h) && says(day, d) && says(month, m) && says(weekday, dayOfWeek))
      due.push(new Date(moment).toISOString());
  }
  return due;
};

const ours = (cron: string, timeZone: string, from: Date, until: Date): readonly string[] => {
  const due: string[] = [];
  for (let at = nextDue({ cron, timeZone }, new Date(from.getTime() - 1)); at && at <= until; ) {
    due.push(at.toISOString());
    at = nextDue({ cron, timeZone }, at);
  }
  return due;
};

const hour = 3_600_000;
const first = Date.UTC(2026, 10, 1);
const years = 5;

/** The moments within five years at which the clocks of a zone are changed, to the minute. */
const changesOf = (timeZone: string): readonly number[] => {
  const clocks = new Intl.DateTimeFormat("en-GB", { timeZone, dateStyle: "short", timeStyle: "short" });
  const offset = (moment: number): number => {
    const [, d = 0, m = 0, y = 0, h = 0, min = 0] = (
      /^(\d\d)\/(\d\d)\/(\d{4}), (\d\d):(\d\d)$/.exec(clocks.format(moment)) ?? []
    ).map(Number);
    return Date.UTC(y, m - 1, d, h, min) - moment;
  };
  const changes: number[] = [];
  const step = 7 * 24 * hour;
  for (let moment = first; moment < first + years * 366 * 24 * hour; moment += step) {
    let [low, high] = [moment, moment + step];
    if (offset(low) === offset(high)) continue;
    while (high - low > 60_000) {
      const middle = low + Math.floor((high - low) / 120_000) * 60_000;
      if (offset(middle) === offset(low)) low = middle;
      else high = middle;
    }
    changes.push(high);
  }
  return changes;
};

const zones = Intl.supportedValuesOf("timeZone");
const changing = zones.map((zone) => ({ zone, changes: changesOf(zone) })).filter(({ changes }) => changes.length > 0);

describe("a schedule near a change of the clocks", () => {
  it("of every zone of the tz database, in the next five years, is due when EventBridge Scheduler comes", {
    timeout: 120_000,
  }, () => {
    expect(zones.length).toBeGreaterThan(400);
    expect(changing.length).toBeGreaterThan(80);
    for (const { zone, changes } of changing) {
      for (const change of changes) {
        const [from, until] = [new Date(change - 2 * hour), new Date(change + 2 * hour)];
        const cron = "*/30 * * * *";
        const expected = schedulerModel(schedulerExpression(cron), { timeZone: zone, from, until, step: 15 });
        expect(ours(cron, zone, from, until), `in ${zone} at ${new Date(change).toISOString()}`).toEqual(expected);
      }
    }
  });

  const anyField = (from: number, to: number) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant("*") },
      fc.integer({ min: from, max: to }).map(String),
      fc.integer({ min: 1, max: Math.min(to, 20) }).map((step) => `*/${step}`),
      fc
        .tuple(fc.integer({ min: from, max: to }), fc.integer({ min: from, max: to }), fc.integer({ min: 1, max: 5 }))
        .map(([one, other, step]) => `${Math.min(one, other)}-${Math.max(one, other)}/${step}`),
    );
  const anyCron = fc
    .tuple(anyField(0, 59), anyField(0, 23), anyField(1, 28), anyField(1, 12), anyField(0, 7), fc.boolean())
    .map(([minute, hours, day, month, weekday, byDay]) =>
      [minute, hours, byDay ? day : "*", month, byDay ? "*" : weekday].join(" "),
    );

  it("or anywhere else, with any fields that are accepted, is due when EventBridge Scheduler comes, last and next", () => {
    fc.assert(
      fc.property(
        anyCron,
        fc.constantFrom(...changing).chain(({ zone, changes }) =>
          fc.record({
            zone: fc.constant(zone),
            around: fc.oneof(
              fc.constantFrom(...changes),
              fc.integer({ min: first / 60_000, max: first / 60_000 + 2_628_000 }).map((minutes) => minutes * 60_000),
            ),
          }),
        ),
        (cron, { zone, around }) => {
          fc.pre(cronProblem(cron) === undefined);
          const expression = schedulerExpression(cron);
          expect(expression.length).toBeLessThanOrEqual(256);
          const [from, until] = [new Date(around - 4 * hour), new Date(around + 6 * hour)];
          const expected = schedulerModel(expression, { timeZone: zone, from, until }).filter(
            (moment) => new Date(moment) >= new Date(around - 2 * hour),
          );
          const begin = new Date(around - 2 * hour);
          expect(ours(cron, zone, begin, until)).toEqual(expected);
          const last = lastDue({ cron, timeZone: zone }, until)?.toISOString();
          if (expected.length > 0) expect(last).toBe(expected.at(-1));
          else expect(last === undefined || new Date(last) < begin).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("that the clocks skip was due the day before, and is not overdue", () => {
    const berlin = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
    expect(lastDue(berlin, new Date("2027-03-28T12:00:00Z"))).toEqual(new Date("2027-03-27T01:30:00Z"));
    expect(nextDue(berlin, new Date("2027-03-27T12:00:00Z"))).toEqual(new Date("2027-03-29T00:30:00Z"));
  });

  it("that the clocks show twice is due the first time only", () => {
    const berlin = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
    expect(lastDue(berlin, new Date("2027-10-31T12:00:00Z"))).toEqual(new Date("2027-10-31T00:30:00Z"));
  });
});

describe("what cron's dialects understand differently", () => {
  it.each([
    ["0 4 * * 5L", /says 5L; .*write a day that every month has/],
    ["0 4 L * *", /says L; .*"0 4 28 \* \*"/],
    ["0 4 15W * *", /says 15W; .*MON-FRI/],
    ["0 4 * * MON#1", /says MON#1; .*1-7/],
    ["0 4 ? * MON", /says \?; write \*/],
    ["5/15 * * * *", /says 5\/15; .*5-59\/15/],
    ["0 4 * * FRI-MON", /says FRI-MON, which ends before it starts/],
    ["0 22-4 * * *", /says 22-4, which ends before it starts/],
    ["0 4 * * 1/2", /says 1\/2; write a step with its range/],
  ])("%s is refused by name, with what to write instead", (cron, words) => {
    expect(cronProblem(cron)).toMatch(words);
  });

  it.each([
    ["0 4 * * */2", "cron(0 4 ? * SUN,TUE,THU,SAT *)"],
    ["0 4 * * 1-5/2", "cron(0 4 ? * MON,WED,FRI *)"],
    ["0 4 * * 5-7", "cron(0 4 ? * SUN,FRI,SAT *)"],
    ["0 4 * JUL,AUG MON-WED", "cron(0 4 ? 7,8 MON-WED *)"],
    ["*/20 4 */10 * *", "cron(0,20,40 4 1,11,21,31 * ? *)"],
  ])("%s is said without steps: %s", (cron, expression) => {
    expect(cronProblem(cron)).toBeUndefined();
    expect(schedulerExpression(cron)).toBe(expression);
  });
});
