import { decideRetention, type RetainedDump, type RetentionPolicy } from "@openemr-ops/dumps/retention";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyHistory, anyPolicy } from "../../support/anyHistory.ts";

const now = new Date("2026-11-20T12:00:00Z");
const nothing: RetentionPolicy = { keepLast: 0, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 };
const dump = (takenAt: string, changes: Partial<RetainedDump> = {}): RetainedDump => ({
  dumpId: takenAt,
  takenAt: new Date(takenAt),
  complete: true,
  ...changes,
});
const reasonsByDump = (dumps: readonly RetainedDump[], policy: Partial<RetentionPolicy>) => {
  const { keep, expire } = decideRetention(dumps, { ...nothing, ...policy }, { now });
  return {
    keep: Object.fromEntries(keep.map(({ dumpId, reasons }) => [dumpId, reasons])),
    expire: Object.fromEntries(expire.map(({ dumpId, reasons }) => [dumpId, reasons])),
  };
};
const ids = (entries: readonly { readonly dumpId: string }[]) => entries.map(({ dumpId }) => dumpId);

describe("the retention decision", () => {
  it("keeps the newest of each day that has any, and says why", () => {
    const dumps = ["2026-11-20T02:00:00Z", "2026-11-19T14:00:00Z", "2026-11-19T02:00:00Z", "2026-11-10T02:00:00Z"];

    expect(
      reasonsByDump(
        [...dumps, "2026-11-09T02:00:00Z"].map((at) => dump(at)),
        { keepDaily: 3 },
      ),
    ).toEqual({
      keep: {
        "2026-11-20T02:00:00Z": ["daily", "newest complete"],
        "2026-11-19T14:00:00Z": ["daily"],
        "2026-11-10T02:00:00Z": ["daily"],
      },
      expire: { "2026-11-19T02:00:00Z": ["no rule keeps it"], "2026-11-09T02:00:00Z": ["no rule keeps it"] },
    });
  });

  it("counts weeks from Monday, and gives the turn of the year to the week's own year", () => {
    const dumps = [
      dump("2021-01-04T00:00:00Z"), // Monday of 2021-W01
      dump("2021-01-03T23:59:59Z"), // Sunday of 2020-W53
      dump("2020-12-28T00:00:00Z"), // Monday of 2020-W53
      dump("2020-12-27T23:59:59Z"), // Sunday of 2020-W52
      dump("2020-01-01T00:00:00Z"), // 2020-W01
    ];

    expect(Object.keys(reasonsByDump(dumps, { keepWeekly: 3 }).keep)).toEqual([
      "2021-01-04T00:00:00Z",
      "2021-01-03T23:59:59Z",
      "2020-12-27T23:59:59Z",
    ]);
  });

  it("keeps the oldest dump while a rule has counts left, so that a young history reaches back", () => {
    const dumps = [dump("2026-11-20T02:00:00Z"), dump("2026-11-19T02:00:00Z"), dump("2026-11-18T02:00:00Z")];

    expect(reasonsByDump(dumps, { keepYearly: 2 })).toEqual({
      keep: { "2026-11-20T02:00:00Z": ["yearly", "newest complete"], "2026-11-18T02:00:00Z": ["oldest yearly"] },
      expire: { "2026-11-19T02:00:00Z": ["no rule keeps it"] },
    });
  });

  it("keeps the newest verified dump, however old and whatever the counts", () => {
    const dumps = [
      dump("2026-11-20T02:00:00Z"),
      dump("2026-11-19T02:00:00Z"),
      dump("2026-01-01T02:00:00Z", { verifiedAt: new Date("2026-01-01T03:00:00Z") }),
      dump("2025-01-01T02:00:00Z", { verifiedAt: new Date("2026-11-20T03:00:00Z") }),
    ];

    expect(reasonsByDump(dumps, { keepLast: 1 }).keep).toEqual({
      "2026-11-20T02:00:00Z": ["last", "newest complete"],
      "2026-01-01T02:00:00Z": ["newest verified"],
    });
  });

  it("keeps a dump for as long as the store keeps it anyway, and says until when", () => {
    const dumps = [
      dump("2026-11-20T02:00:00Z"),
      dump("2026-11-19T02:00:00Z", { lockedUntil: new Date("2026-11-21T02:00:00Z") }),
      dump("2026-11-18T02:00:00Z", { lockedUntil: new Date("2026-11-20T02:00:00Z") }),
    ];

    expect(reasonsByDump(dumps, { keepLast: 1 })).toEqual({
      keep: {
        "2026-11-20T02:00:00Z": ["last", "newest complete"],
        "2026-11-19T02:00:00Z": ["the store keeps it until 2026-11-21T02:00:00.000Z"],
      },
      expire: { "2026-11-18T02:00:00Z": ["no rule keeps it"] },
    });
  });

  it("keeps a dump of the future, and gives it no place of another", () => {
    const dumps = [
      dump("2027-11-20T02:00:00Z", { verifiedAt: new Date("2026-11-20T03:00:00Z") }),
      dump("2026-11-20T12:09:59Z"), // clocks of two machines differ
      dump("2026-11-19T02:00:00Z", { verifiedAt: new Date("2026-11-19T03:00:00Z") }),
      dump("2026-11-18T02:00:00Z"),
    ];

    expect(reasonsByDump(dumps, { keepLast: 1, keepYearly: 1 })).toEqual({
      keep: {
        "2027-11-20T02:00:00Z": ["taken in the future: a clock was wrong then, or is now"],
        "2026-11-20T12:09:59Z": ["last", "yearly", "newest complete"],
        "2026-11-19T02:00:00Z": ["newest verified"],
      },
      expire: { "2026-11-18T02:00:00Z": ["no rule keeps it"] },
    });
  });

  it("keeps what an unsealed note calls verified, and lets nothing go for it", () => {
    const dumps = [
      dump("2026-11-20T02:00:00Z"),
      dump("2026-11-19T02:00:00Z", { saidToBeVerified: true }),
      dump("2026-11-18T02:00:00Z", { verifiedAt: new Date("2026-11-18T03:00:00Z"), saidToBeVerified: true }),
    ];

    expect(reasonsByDump(dumps, { keepLast: 1 })).toEqual({
      keep: {
        "2026-11-20T02:00:00Z": ["last", "newest complete"],
        "2026-11-19T02:00:00Z": ["newest with a note of verification that bears no seal"],
        "2026-11-18T02:00:00Z": ["newest verified"],
      },
      expire: {},
    });
  });

  it("does not let incomplete dumps take the place of complete ones", () => {
    const dumps = [
      dump("2026-11-20T11:00:00Z", { complete: false }),
      dump("2026-11-19T11:59:59Z", { complete: false }),
      dump("2026-11-19T02:00:00Z"),
      dump("2026-11-18T02:00:00Z"),
    ];

    expect(reasonsByDump(dumps, { keepLast: 2 })).toEqual({
      keep: {
        "2026-11-20T11:00:00Z": ["incomplete, may still be running"],
        "2026-11-19T02:00:00Z": ["last", "newest complete"],
        "2026-11-18T02:00:00Z": ["last"],
      },
      expire: { "2026-11-19T11:59:59Z": ["incomplete and older than a day"] },
    });
  });

  it("keeps all when the policy asks for nothing, rather than delete all", () => {
    const dumps = [dump("2026-11-20T02:00:00Z"), dump("2020-11-19T02:00:00Z")];

    expect(reasonsByDump(dumps, {}).expire).toEqual({});
  });

  it("has nothing to say of no dumps", () => {
    expect(decideRetention([], { ...nothing, keepLast: 1 }, { now })).toEqual({ keep: [], expire: [] });
  });

  it("puts every dump on one side, newest first, with reasons", () => {
    fc.assert(
      fc.property(anyHistory, anyPolicy, (dumps, policy) => {
        const { keep, expire } = decideRetention(dumps, policy, { now });

        expect([...ids(keep), ...ids(expire)].sort()).toEqual(ids(dumps).sort());
        for (const { reasons } of [...keep, ...expire]) expect(reasons.length).toBeGreaterThan(0);
        const times = new Map(dumps.map(({ dumpId, takenAt }) => [dumpId, takenAt.getTime()]));
        for (const side of [keep, expire]) {
          const order = side.map(({ dumpId }) => times.get(dumpId) ?? 0);
          expect(order).toEqual([...order].sort((one, other) => other - one));
        }
      }),
      { numRuns: 400 },
    );
  });

  it("never lets the newest complete nor the newest verified dump go", () => {
    fc.assert(
      fc.property(anyHistory, anyPolicy, (dumps, policy) => {
        const gone = new Set(ids(decideRetention(dumps, policy, { now }).expire));
        const newestOf = (some: readonly RetainedDump[]) =>
          some.reduce<RetainedDump | undefined>(
            (best, each) => (best && best.takenAt >= each.takenAt ? best : each),
            undefined,
          );
        const complete = dumps.filter((each) => each.complete);
        for (const newest of [newestOf(complete), newestOf(complete.filter(({ verifiedAt }) => verifiedAt))]) {
          expect(gone.has(newest?.dumpId ?? "")).toBe(false);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("answers the same whatever the order of the list", () => {
    fc.assert(
      fc.property(anyHistory, anyPolicy, fc.integer(), (dumps, policy, seed) => {
        const shuffled = [...dumps].sort(
          (one, other) => ((one.takenAt.getTime() * 31 + seed) % 97) - ((other.takenAt.getTime() * 31 + seed) % 97),
        );
        expect(decideRetention(shuffled, policy, { now })).toEqual(decideRetention(dumps, policy, { now }));
      }),
      { numRuns: 200 },
    );
  });

  it("keeps at least as much under a policy that asks for more", () => {
    fc.assert(
      fc.property(
        anyHistory,
        anyPolicy,
        fc.constantFrom(...(Object.keys(nothing) as (keyof RetentionPolicy)[])),
        (dumps, policy, field) => {
          fc.pre(Object.values(policy).some((count) => count > 0)); // a policy of zeros keeps all
          const more = decideRetention(dumps, { ...policy, [field]: policy[field] + 1 }, { now });
          const kept = new Set(ids(more.keep));

          const oldest = [...dumps]
            .filter(({ complete }) => complete)
            .sort((one, other) => one.takenAt.getTime() - other.takenAt.getTime())[0];
          for (const { dumpId } of decideRetention(dumps, policy, { now }).keep) {
            if (dumpId !== oldest?.dumpId) expect(kept.has(dumpId)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("lets no more go when it is asked again about what it kept", () => {
    fc.assert(
      fc.property(anyHistory, anyPolicy, (dumps, policy) => {
        const kept = new Set(ids(decideRetention(dumps, policy, { now }).keep));
        const again = decideRetention(
          dumps.filter(({ dumpId }) => kept.has(dumpId)),
          policy,
          { now },
        );
        expect(ids(again.expire)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
