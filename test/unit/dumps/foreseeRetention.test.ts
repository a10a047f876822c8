import { foreseeRetention } from "@openemr-ops/dumps/foreseeRetention";
import { decideRetention, type RetainedDump, type RetentionPolicy } from "@openemr-ops/dumps/retention";
import { describe, expect, it } from "vitest";

const day = 24 * 3600 * 1000;
const now = new Date("2026-11-27T06:00:00.000Z");
const zero: RetentionPolicy = { keepLast: 0, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 };

const night = (days: number, changes: Partial<RetainedDump> = {}): RetainedDump => ({
  dumpId: `night ${days}`,
  takenAt: new Date(now.getTime() - days * day),
  complete: true,
  ...changes,
});
const nights = (count: number) => Array.from({ length: count }, (_, days) => night(days));

const foreseen = (dumps: readonly RetainedDump[], policy: Partial<RetentionPolicy>) => {
  const full = { ...zero, ...policy };
  const { keep } = decideRetention(dumps, full, { now });
  const kept = dumps.filter(({ dumpId }) => keep.some((entry) => entry.dumpId === dumpId));
  const ends = foreseeRetention(kept, full, { now });
  return Object.fromEntries([...ends].map(([dumpId, at]) => [dumpId, (at.getTime() - now.getTime()) / day]));
};

describe("when a dump would go", () => {
  it("is after as many further dumps as the policy keeps", () => {
    expect(foreseen(nights(3), { keepLast: 3 })).toEqual({ "night 2": 1, "night 1": 2, "night 0": 3 });
  });

  it("follows the pace of the dumps that are there", () => {
    const halfDays = nights(4).map((dump, index) => ({
      ...dump,
      takenAt: new Date(now.getTime() - index * 12 * 3600 * 1000),
    }));
    expect(foreseen(halfDays, { keepLast: 4 })).toMatchObject({ "night 3": 0.5, "night 0": 2 });
  });

  it("is known of all that goes within 400 days, however often dumps are taken", () => {
    const hourly = nights(200).map((dump, index) => ({
      ...dump,
      takenAt: new Date(now.getTime() - index * (day / 24)),
    }));
    const ends = foreseen(hourly, { keepLast: 24, keepDaily: 60 });
    expect(Object.keys(ends).length).toBe(32); // the last 24, and the newest of each day before
    expect(Math.max(...Object.values(ends))).toBe(58.75); // yesterday's last one, as the 60th day after it begins
  });

  it("is not known of what stays longer than 400 days, and of the newest verified one", () => {
    expect(foreseen(nights(2), { keepLast: 1000 })).toEqual({});
    expect(foreseen([night(0, { verifiedAt: now }), night(1)], { keepLast: 2 })).toEqual({ "night 1": 1 });
  });

  it("waits for the store, which keeps a dump anyway", () => {
    const locked = night(0, { lockedUntil: new Date(now.getTime() + 10.5 * day) });
    expect(foreseen([locked], { keepLast: 1 })).toEqual({ "night 0": 11 });
  });

  it("agrees with what retention does when that day has come", () => {
    const dumps = nights(120);
    const policy = { ...zero, keepDaily: 7, keepWeekly: 4, keepMonthly: 3 };
    let present: readonly RetainedDump[] = dumps;
    const gone: Record<string, number> = {};
    for (let step = 0; step <= 60; step++) {
      const at = new Date(now.getTime() + step * day);
      if (step > 0) present = [{ dumpId: `later ${step}`, takenAt: at, complete: true }, ...present];
      const expired = decideRetention(present, policy, { now: at }).expire.map(({ dumpId }) => dumpId);
      for (const dumpId of expired) if (step > 0 && dumpId.startsWith("night")) gone[dumpId] = step;
      present = present.filter(({ dumpId }) => !expired.includes(dumpId));
    }
    const soon = Object.fromEntries(Object.entries(foreseen(dumps, policy)).filter(([, days]) => days <= 60));
    expect(soon).toEqual(gone);
    expect(Object.keys(gone).length).toBeGreaterThan(8);
  });

  it("is found in a moment for many dumps", () => {
    expect(Object.keys(foreseen(nights(400), { keepLast: 400 }))).toHaveLength(400);
  });
});
