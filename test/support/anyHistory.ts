import type { RetainedDump, RetentionPolicy } from "@openemr-ops/dumps/retention";
import * as fc from "fast-check";

const first = Date.UTC(2019, 11, 20); // years that end within a week, leap days and a week 53 follow
const last = Date.UTC(2026, 11, 31);

/** Days that rules about periods are known to trip over, to the second. */
const edges = [
  "2020-02-29T23:59:59Z",
  "2020-12-31T23:59:59Z",
  "2021-01-01T00:00:00Z",
  "2021-01-03T23:59:59Z",
  "2021-01-04T00:00:00Z",
  "2024-12-29T12:00:00Z",
  "2024-12-30T00:00:00Z",
  "2025-01-01T00:00:00Z",
  "2026-03-29T01:30:00Z",
  "2026-11-20T12:00:00Z",
].map((text) => new Date(text));

const anyDay = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.integer({ min: first / 1000, max: last / 1000 }).map((seconds) => new Date(seconds * 1000)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...edges) },
);

/** Runs of daily, six-hourly or weekly dumps, with gaps; what schedules leave. */
const anySeries = fc
  .record({
    start: anyDay,
    stepHours: fc.constantFrom(6, 24, 24, 168, 720),
    length: fc.integer({ min: 1, max: 25 }),
  })
  .map(({ start, stepHours, length }) =>
    Array.from({ length }, (_, index) => new Date(start.getTime() + index * stepHours * 3_600_000)),
  );

/** Moments of dumps, whole seconds, each once. */
export const anyMoments: fc.Arbitrary<readonly Date[]> = fc
  .array(
    fc.oneof(
      anySeries,
      anyDay.map((day) => [day]),
    ),
    { maxLength: 6 },
  )
  .map((series) => [...new Map(series.flat().map((moment) => [moment.getTime(), moment])).values()]);

const anyCount = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 12 }) },
);

export const anyPolicy: fc.Arbitrary<RetentionPolicy> = fc.record({
  keepLast: anyCount,
  keepDaily: anyCount,
  keepWeekly: anyCount,
  keepMonthly: anyCount,
  keepYearly: anyCount,
});

export const anyHistory: fc.Arbitrary<readonly RetainedDump[]> = anyMoments.chain((moments) =>
  fc.tuple(
    ...moments.map((takenAt, index) =>
      fc.record({ complete: fc.boolean(), verified: fc.boolean() }).map(({ complete, verified }) => ({
        dumpId: `dump-${index}`,
        takenAt,
        complete: complete || index % 2 === 0,
        ...(verified ? { verifiedAt: new Date(takenAt.getTime() + 3_600_000) } : {}),
      })),
    ),
  ),
);
