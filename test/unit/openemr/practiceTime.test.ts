import { practiceTime, practiceTimeSince } from "@openemr-ops/openemr/practiceTime";
import type { SqlReader } from "@openemr-ops/openemr/sqlReader";
import { describe, expect, it } from "vitest";

/** A server whose clocks are so many seconds ahead of UTC. */
const server = (seconds: number): SqlReader => ({ rows: async () => [{ seconds: `${seconds}` }] });
const zone = (name: string) => new Map([["gbl_time_zone", name]]);

describe("a time of OpenEMR's", () => {
  it.each([
    { what: "the zone of its setting", settings: zone("America/New_York"), expected: "2026-03-04 00:06:07" },
    { what: "the server's zone without a setting", settings: new Map(), expected: "2026-03-04 07:06:07" },
    { what: "the server's zone where the setting is empty", settings: zone(""), expected: "2026-03-04 07:06:07" },
    {
      what: "the server's zone where there is no such zone",
      settings: zone("Mars/Olympus"),
      expected: "2026-03-04 07:06:07",
    },
  ])("is in $what", async ({ settings, expected }) => {
    expect(await practiceTime(server(7200), settings, new Date("2026-03-04T05:06:07.890Z"))).toBe(expected);
  });

  it.each([
    { what: "a moment", moment: "2026-07-04T05:06:07Z", expected: "2026-07-04 01:06:07" },
    // Clocks go from 01:59 back to 01:00 at 06:00 UTC, and from 01:59 on to 03:00 at 07:00 UTC.
    { what: "the hour that is shown twice", moment: "2026-11-01T05:30:00Z", expected: "2026-11-01 00:30:00" },
    { what: "that hour, the second time", moment: "2026-11-01T06:30:00Z", expected: "2026-11-01 01:30:00" },
    { what: "the hour that is left out", moment: "2026-03-08T06:30:00Z", expected: "2026-03-08 01:30:00" },
  ])("that was written from $what on is no earlier", async ({ moment, expected }) => {
    const settings = zone("America/New_York");
    const since = await practiceTimeSince(server(0), settings, new Date(moment));
    expect(since).toBe(expected);
    for (let minutes = 0; minutes < 300; minutes += 10) {
      const later = new Date(new Date(moment).getTime() + minutes * 60_000);
      expect((await practiceTime(server(0), settings, later)) >= since).toBe(true);
    }
  });
});
