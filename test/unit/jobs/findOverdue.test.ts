import { ControlPlaneUnavailableError } from "@openemr-ops/core/errors";
import { jobEvents } from "@openemr-ops/events/jobEvent";
import type { OverdueRequest } from "@openemr-ops/events/workflowSteps";
import { findOverdue } from "@openemr-ops/jobs/findOverdue";
import { beforeEach, describe, expect, it } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { interferedPorts, type MemoryControlPlane, memoryControlPlane } from "../../support/memoryControlPlane.ts";

type Schedule = OverdueRequest["schedules"][number];

/** Each night at half past two, a success expected before half past four. The clock stands at noon of the 20th. */
const nightly = (changes: Partial<Schedule> = {}): Schedule => ({
  kind: "dump",
  cron: "30 2 * * *",
  timeZone: "UTC",
  deadlineMinutes: 120,
  since: "2026-11-01T00:00:00.000Z",
  ...changes,
});

let plane: MemoryControlPlane;
beforeEach(() => {
  plane = memoryControlPlane();
  configured = new Set(["clinic-a"]);
});

let configured = new Set(["clinic-a"]);
const sweep = (...schedules: readonly Schedule[]) =>
  findOverdue({ installation: "clinic-a", schedules: [...schedules] }, configured, plane);
const dueTimes = () => plane.events.map((event) => event.name === "JobOverdue" && event.detail.dueAt);

const succeed = (endedAt: string, changes: Parameters<typeof aJobRecord>[0] = {}) =>
  plane.ledger.create(
    aJobRecord({ at: new Date(Date.parse(endedAt) - 60_000), status: "succeeded", endedAt, ...changes }),
  );

describe("a scheduled job", () => {
  it("is overdue when nothing succeeded before its deadline", async () => {
    await sweep(nightly());

    const detail = {
      version: 1,
      installation: "clinic-a",
      kind: "dump",
      at: "2026-11-20T12:00:00.000Z",
      dueAt: "2026-11-20T02:30:00.000Z",
      deadlineAt: "2026-11-20T04:30:00.000Z",
    };
    expect(plane.events).toEqual([{ name: "JobOverdue", detail }]);
    expect(jobEvents.JobOverdue.safeParse(detail).success).toBe(true);
  });

  it("is published once for each due time", async () => {
    await sweep(nightly());
    await sweep(nightly());
    plane.clock.advance(24 * 3600);
    await sweep(nightly());
    await sweep(nightly());

    expect(dueTimes()).toEqual(["2026-11-20T02:30:00.000Z", "2026-11-21T02:30:00.000Z"]);
  });

  it("of an installation that the configuration no longer has is reported as that, once a day however often it comes", async () => {
    configured = new Set(["clinic-b"]);
    const hourly = nightly({ cron: "0 * * * *", deadlineMinutes: 60 });
    for (let hour = 0; hour < 36; hour++) {
      await sweep(hourly);
      plane.clock.advance(3600);
    }
    expect(plane.events.map(({ detail }) => "configured" in detail && detail.configured)).toEqual([false, false]);
    expect(dueTimes()).toEqual(["2026-11-20T11:00:00.000Z", "2026-11-21T00:00:00.000Z"]);
    expect(jobEvents.JobOverdue.parse(plane.events[0]?.detail)).toEqual(plane.events[0]?.detail);
  });

  it("is overdue at its deadline, not before", async () => {
    plane.clock.advance((16 * 60 + 29) * 60 + 59); // 04:29:59 of the 21st; the 20th's was in order
    await succeed("2026-11-20T03:00:00.000Z");
    await sweep(nightly());
    expect(plane.events).toEqual([]);

    plane.clock.advance(1);
    await sweep(nightly());
    expect(dueTimes()).toEqual(["2026-11-21T02:30:00.000Z"]);
  });

  it("names the last success there was, however jobs before and after it ended", async () => {
    await succeed("2026-11-18T03:00:00.000Z");
    await succeed("2026-11-19T03:00:00.000Z", { jobId: "last" });
    await plane.ledger.create(
      aJobRecord({ at: new Date("2026-11-20T02:30:00.000Z"), status: "failed", endedAt: "2026-11-20T03:00:00.000Z" }),
    );
    await sweep(nightly());

    expect(plane.events).toMatchObject([
      { detail: { lastSuccess: { jobId: "last", endedAt: "2026-11-19T03:00:00.000Z" } } },
    ]);
    expect(jobEvents.JobOverdue.safeParse(plane.events[0]?.detail).success).toBe(true);
  });

  it.each<[string, string, Parameters<typeof aJobRecord>[0]?]>([
    ["its own success", "2026-11-20T02:45:00.000Z"],
    ["one that a person started", "2026-11-20T10:00:00.000Z"],
    ["one that began before it was due and ended after", "2026-11-20T02:30:30.000Z"],
  ])("is in order by %s", async (_, endedAt, changes) => {
    await succeed(endedAt, changes);
    await sweep(nightly());

    expect(plane.events).toEqual([]);
  });

  it.each<[string, Parameters<typeof aJobRecord>[0]]>([
    ["of a dry run", { dryRun: true }],
    ["of another kind", { kind: "drill" }],
    ["of another installation", { installation: "clinic-b" }],
    ["that was none", { status: "failed" }],
  ])("is overdue in spite of a success %s", async (_, changes) => {
    await succeed("2026-11-20T02:45:00.000Z", changes);
    await sweep(nightly());

    expect(plane.events).toHaveLength(1);
  });

  it("was never due before there was a schedule", async () => {
    await sweep(nightly({ since: "2026-11-20T02:30:01.000Z" }));

    expect(plane.events).toEqual([]);
  });

  it("is overdue although it was deployed anew since it was due, when such jobs ran before", async () => {
    await succeed("2026-11-19T02:40:00.000Z");
    await sweep(nightly({ since: "2026-11-20T03:00:00.000Z" }));

    expect(dueTimes()).toEqual(["2026-11-20T02:30:00.000Z"]);
  });

  it("is due by the clock of its time zone, on both sides of a change of time", async () => {
    plane.clock.advance(-30 * 24 * 3600); // 21 October: summer time in Berlin until the 25th
    await sweep(nightly({ timeZone: "Europe/Berlin", since: "2026-10-01T00:00:00.000Z" }));
    plane.clock.advance(7 * 24 * 3600);
    await sweep(nightly({ timeZone: "Europe/Berlin", since: "2026-10-01T00:00:00.000Z" }));

    expect(dueTimes()).toEqual(["2026-10-21T00:30:00.000Z", "2026-10-28T01:30:00.000Z"]);
  });

  it("is judged apart from the others of its installation", async () => {
    await succeed("2026-11-20T03:00:00.000Z", { kind: "drill" });
    await sweep(nightly(), nightly({ kind: "drill" }), nightly({ kind: "check" }));

    expect(plane.events).toMatchObject([{ detail: { kind: "dump" } }, { detail: { kind: "check" } }]);
  });

  it("is in order by a success that thousands of other jobs came after", async () => {
    await succeed("2026-11-20T02:45:00.000Z", { kind: "check" });
    for (let job = 0; job < 1500; job += 1) await succeed("2026-11-20T11:00:00.000Z", { jobId: `busy-${job}` });
    await sweep(nightly({ kind: "check" }));

    expect(plane.events).toEqual([]);
  });

  it("is published by the next sweep when the bus did not take it", async () => {
    const failure = new ControlPlaneUnavailableError("the bus does not answer");
    const broken = interferedPorts(
      plane,
      async (call) => (call === "publish" ? "fail before" : "pass"),
      () => failure,
    );
    await expect(findOverdue({ installation: "clinic-a", schedules: [nightly()] }, configured, broken)).rejects.toBe(
      failure,
    );
    await sweep(nightly());

    expect(plane.events).toHaveLength(1);
  });
});
