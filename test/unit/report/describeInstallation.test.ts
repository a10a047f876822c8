import { dumpStates } from "@openemr-ops/report/report";
import type { Survey } from "@openemr-ops/report/survey";
import { describe, expect, it } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { aReport } from "../../support/aReport.ts";
import {
  aDrillJob,
  aDumpJob,
  aFailedJob,
  aNewInstallation,
  anUnreachableStore,
  aSurvey,
  aSurveyedDump,
  aSurveyedStore,
  aYear,
} from "../../support/aSurvey.ts";

const describeOne = (survey: Survey, days?: number) => {
  const [installation] = aReport([survey], days).installations;
  if (!installation) throw new Error("there is one");
  return installation;
};

const messagesOf = (survey: Survey) =>
  describeOne(survey).openWarnings.map(({ severity, about, message }) => `${severity} ${about}: ${message}`);

/** A job that began so many days ago and reported nothing since. */
const killed = (kind: string, days: number) => {
  const { endedAt: _, error: __, ...record } = aFailedJob(days, { kind, status: "running" });
  return record;
};

/** A survey in order, with other records than usual. */
const withRecords = (...records: Extract<Survey["records"], { value: unknown }>["value"]): Survey => {
  const survey = aSurvey();
  return { ...survey, records: { value: "value" in survey.records ? [...records, ...survey.records.value] : records } };
};

describe("the dumps of a report", () => {
  it("join what the destination lists with what the records know, each dump once", () => {
    const { stores } = describeOne(aYear(), 400);
    const states = stores[0]?.dumps.map(({ state }) => state) ?? [];
    const count = (state: string) => states.filter((one) => one === state).length;
    expect(Object.fromEntries(dumpStates.map((state) => [state, count(state)]))).toEqual({
      verified: 10,
      complete: 23,
      damaged: 1,
      failed: 4,
      expired: 362,
      unknown: 0,
    });
    expect(states.length).toBe(400);
    const ids = stores[0]?.dumps.flatMap(({ dumpId }) => dumpId ?? []) ?? [];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("are newest first", () => {
    const times = describeOne(aYear(), 400).stores[0]?.dumps.map(({ at }) => at) ?? [];
    expect(times).toEqual([...times].sort().reverse());
  });

  it("reach back as far as is asked for, and at the destination to the oldest", () => {
    const { stores, drills } = describeOne(aYear(), 30);
    const old = stores[0]?.dumps.filter(({ at }) => at < "2026-10-28T06:00:00.000Z") ?? [];
    expect(old.length).toBeGreaterThan(5);
    expect(old.every(({ state }) => state === "complete" || state === "verified")).toBe(true);
    expect(drills && "value" in drills && drills.value.drills.length).toBe(6);
  });

  it("are not called expired where the destination could not be read", () => {
    const { stores, complete } = describeOne(anUnreachableStore("clinic-c"));
    expect(stores[0]?.dumps.map(({ state }) => state)).toEqual(["unknown", "unknown", "unknown"]);
    expect(stores[0]?.unread?.name).toBe("DestinationUnavailableError");
    expect(complete).toBe(false);
  });

  it("that went to another destination have not expired at this one", () => {
    const moved = aDumpJob(aSurveyedDump(20), {
      result: { dumpId: aSurveyedDump(20).dumpId, destination: "file:///old" },
    });
    expect(describeOne(withRecords(moved)).stores[0]?.dumps.filter(({ state }) => state === "expired")).toEqual([]);
  });
});

describe("what needs attention", () => {
  it("is nothing where all is in order", () => {
    expect(messagesOf(aSurvey())).toEqual([]);
  });

  it("is a destination without a dump", () => {
    expect(messagesOf(aNewInstallation("clinic-a"))).toEqual([
      "failed dumps: s3://clinic-a-dumps/production contains no complete dump; check that the disk is mounted and the bucket is correct",
    ]);
  });

  it.each<[string, Survey, string]>([
    [
      "records that cannot be read",
      aSurvey({ records: { unread: { name: "LocalSystemError", message: "EIO" } } }),
      "failed job records: could not be read: LocalSystemError: EIO",
    ],
    [
      "exports that cannot be read",
      aSurvey({ exports: { unread: { name: "DestinationMissingError", message: "gone" } } }),
      "failed exports: could not be read: DestinationMissingError: gone",
    ],
    [
      "an old newest dump",
      aSurvey({
        stores: [aSurveyedStore([aSurveyedDump(3, { verified: { level: "drill", at: "2026-11-25T00:00:00.000Z" } })])],
      }),
      "failed dumps: the newest complete dump is 3 days old (2026-11-24 02:15:00Z)",
    ],
    [
      "dumps that nobody has tried",
      aSurvey({
        stores: [
          aSurveyedStore([aSurveyedDump(0, { verified: { level: "objects", at: "2026-11-27T05:00:00.000Z" } })]),
        ],
      }),
      "warning dumps: no dump has passed a drill or a check at level read-data: nobody knows whether they restore",
    ],
    [
      "a proof of long ago",
      aSurvey({
        stores: [
          aSurveyedStore([
            aSurveyedDump(0),
            aSurveyedDump(60, { verified: { level: "drill", at: "2026-10-01T00:00:00.000Z" } }),
          ]),
        ],
      }),
      "warning dumps: the newest drill or check at level read-data that passed is 57 days old",
    ],
    [
      "a dump without a seal",
      aSurvey({
        stores: [
          aSurveyedStore([
            aSurveyedDump(0, { sealed: false, verified: { level: "drill", at: "2026-11-27T05:00:00.000Z" } }),
          ]),
        ],
      }),
      "warning dumps: the newest complete dump is not sealed: anyone who can write to the destination could have made it",
    ],
    [
      "retention that cannot be planned",
      aSurvey({
        stores: [
          aSurveyedStore([aSurveyedDump(0)], {
            retention: { unread: { name: "RepositoryPasswordError", message: "wrong" } },
          }),
        ],
      }),
      "warning dumps: retention could not be planned: RepositoryPasswordError: wrong",
    ],
    [
      "an old dump behind one that claims to be of the future",
      aSurvey({ stores: [aSurveyedStore([aSurveyedDump(-2), aSurveyedDump(3)])] }),
      "failed dumps: the newest complete dump is 3 days old (2026-11-24 02:15:00Z)",
    ],
    [
      "a job that failed last",
      withRecords(aFailedJob(-0.1, { kind: "check" })),
      "failed check: the newest job was not successful (2026-11-27 04:39:31Z): DatabaseUnavailableError: 127.0.0.1:3306 does not answer; check host, port and firewall",
    ],
    [
      "a copy that failed last, whatever the other copies did",
      withRecords(
        aDumpJob(aSurveyedDump(0), { kind: "copy", result: { copy: "1" } }),
        aFailedJob(-0.1, { kind: "copy", result: { copy: "2" } }),
      ),
      "failed copy 2: the newest job was not successful (2026-11-27 04:39:31Z): DatabaseUnavailableError: 127.0.0.1:3306 does not answer; check host, port and firewall",
    ],
    [
      "a check of a copy that failed last",
      withRecords(
        aDumpJob(aSurveyedDump(0), { kind: "check" }),
        aFailedJob(-0.1, { kind: "check", result: { copy: "1" } }),
      ),
      "failed check of copy 1: the newest job was not successful (2026-11-27 04:39:31Z): DatabaseUnavailableError: 127.0.0.1:3306 does not answer; check host, port and firewall",
    ],
    [
      "a dump of the future",
      aSurvey({ stores: [aSurveyedStore([aSurveyedDump(-2), aSurveyedDump(0)])] }),
      `warning dumps: dump ${aSurveyedDump(-2).dumpId} has a time in the future (2026-11-29T02:15:00.000Z); check that machine's clock`,
    ],
    [
      "a job that was killed and so never ended",
      withRecords(killed("check", 1.1)),
      "failed check: the newest job started at 2026-11-25 23:51:00Z and reported no result; it was probably killed",
    ],
    [
      "a drill slower than the goal",
      withRecords(aDrillJob(0, 1801)),
      "failed drill: the newest drill restored in 30 min 1 s; the goal is 30 min",
    ],
    [
      "a goal that no drill has measured",
      aSurvey({ records: { value: [] } }),
      "warning drill: no drill has measured whether a restore takes less than the goal of 30 min",
    ],
    [
      "a credential that was never replaced",
      aSurvey({ rotations: [{ kind: "rotateAdmin", noun: "Rotation" }] }),
      "warning rotateAdmin: has not succeeded, as far as the job records reach",
    ],
    [
      "a copy that failed in a workflow, whose record has its input",
      withRecords(aFailedJob(-0.1, { kind: "copy", input: { copy: 2 } }), aFailedJob(-0.1, { kind: "copy" })),
      "failed copy 2: the newest job was not successful (2026-11-27 04:39:31Z): DatabaseUnavailableError: 127.0.0.1:3306 does not answer; check host, port and firewall",
    ],
  ])("is %s", (_what, survey, message) => {
    expect(messagesOf(survey)).toContain(message);
  });

  it("is a failure before a job that runs, and nothing of that one for a day", () => {
    const survey = withRecords(killed("check", 0.5), aFailedJob(2, { kind: "check" }));
    expect(messagesOf(survey)).toEqual([
      expect.stringMatching(/^failed check: the newest job was not successful \(2026-11-25/),
    ]);
  });

  it("is no failure that a success has followed", () => {
    const older = aFailedJob(20);
    const survey = aSurvey();
    const records = "value" in survey.records ? [...survey.records.value, older] : [];
    expect(
      messagesOf({
        ...survey,
        records: { value: records.sort((one, other) => (one.requestedAt < other.requestedAt ? 1 : -1)) },
      }),
    ).toEqual([]);
  });

  it("is a copy that lags, a late schedule, and a warning of the newest dump, failures first", () => {
    expect(messagesOf(aYear())).toEqual([
      expect.stringMatching(
        /^failed dumps: dump \w{26} is not complete: 1 of its 2 halves are not at the destination$/,
      ),
      "failed copy 1: the newest complete dump is 2 days old (2026-11-25 02:15:00Z)",
      "failed check: overdue since 2026-11-22 04:00:00Z",
      expect.stringMatching(/^failed drill: the newest drill restored in 26 min/),
      "warning copy 1: lacks the newest 2 dumps",
      "warning not-encrypted: 12 documents of site default are not encrypted",
      "warning rotateAdmin: has not succeeded, as far as the job records reach",
      "warning sites export: the newest export is incomplete: 2 files could not be read or decrypted; the inventory has them",
    ]);
  });
});

it("a rotation that was killed is the newest failure of its credential", () => {
  const survey = { ...withRecords(killed("rotateAdmin", 2)), rotations: [{ kind: "rotateAdmin", noun: "Rotation" }] };
  const { credentials } = describeOne(survey);
  expect(credentials && "value" in credentials && credentials.value).toMatchObject([
    { lastFailure: { at: "2026-11-25T02:15:00.000Z", name: "TaskLostError" } },
  ]);
});

it("a dump and a drill that were killed are shown as failed", () => {
  const { stores, drills } = describeOne(withRecords(killed("dump", 2), killed("drill", 2), killed("drill", 0.5)));
  const remark = "TaskLostError: the job reported no result; it was probably killed";
  expect(stores[0]?.dumps.filter(({ state }) => state === "failed")).toMatchObject([{ remark }]);
  expect(drills && "value" in drills && drills.value.drills.filter(({ status }) => status === "failed")).toMatchObject([
    { remark },
  ]);
});

it("a drill that is running or failed is no measurement", () => {
  const { drills } = describeOne(
    withRecords(
      aJobRecord({ kind: "drill", status: "running", at: new Date("2026-11-27T05:00:00Z") }),
      aFailedJob(0, { kind: "drill" }),
    ),
  );
  expect(
    drills && "value" in drills && drills.value.drills.map(({ status, withinGoal }) => [status, withinGoal]),
  ).toEqual([
    ["failed", undefined],
    ["succeeded", true],
  ]);
});
