import { cronProblem, lastDue, nextDue, schedulerExpression } from "@openemr-ops/core/cron";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const at = (text: string) => new Date(text);

describe("a schedule", () => {
  it.each([
    ["30 2 * * *", "cron(30 2 * * ? *)"],
    ["*/15 8-18 * * 1-5", "cron(0,15,30,45 8-18 ? * MON-FRI *)"],
    ["0 4 1 */3 *", "cron(0 4 1 1,4,7,10 ? *)"],
    ["0 4 * * 0", "cron(0 4 ? * SUN *)"],
    ["0 4 * * 7", "cron(0 4 ? * SUN *)"],
    ["0 4 * * SAT,SUN", "cron(0 4 ? * SUN,SAT *)"],
  ])("%s is %s to EventBridge Scheduler", (cron, expression) => {
    expect(cronProblem(cron)).toBeUndefined();
    expect(schedulerExpression(cron)).toBe(expression);
  });

  it("was due last at its own hour of its own time zone", () => {
    const berlin = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
    expect(lastDue(berlin, at("2026-11-21T07:00:00Z"))).toEqual(at("2026-11-21T01:30:00Z"));
    expect(lastDue(berlin, at("2026-07-21T07:00:00Z"))).toEqual(at("2026-07-21T00:30:00Z"));
    expect(nextDue(berlin, at("2026-11-21T07:00:00Z"))).toEqual(at("2026-11-22T01:30:00Z"));
  });

  it("was due at the very moment when it comes", () => {
    const hourly = { cron: "0 * * * *", timeZone: "UTC" };
    expect(lastDue(hourly, at("2026-11-21T07:00:00.000Z"))).toEqual(at("2026-11-21T07:00:00Z"));
    expect(lastDue(hourly, at("2026-11-21T06:59:59.999Z"))).toEqual(at("2026-11-21T06:00:00Z"));
  });

  it("is due last never after a moment, and next always after it, with no due time between", () => {
    fc.assert(
      fc.property(
        fc.record({
          cron: fc
            .tuple(fc.nat(59), fc.nat(23), fc.constantFrom("*", "1", "15", "28"), fc.constantFrom("*", "1-5", "SUN"))
            .map(([minute, hour, day, weekday]) => `${minute} ${hour} ${day} * ${day === "*" ? weekday : "*"}`),
          timeZone: fc.constantFrom("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"),
        }),
        fc.date({ min: at("2024-01-01"), max: at("2030-01-01"), noInvalidDate: true }),
        (schedule, moment) => {
          const last = lastDue(schedule, moment);
          const next = nextDue(schedule, moment);
          expect(last && last <= moment).toBe(true);
          expect(next && next > moment).toBe(true);
          expect(last && nextDue(schedule, last)).toEqual(next);
        },
      ),
      { numRuns: 200 },
    );
  });
});
