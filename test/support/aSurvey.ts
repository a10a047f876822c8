import { ulid } from "@openemr-ops/core/ids";
import type { JobRecord } from "@openemr-ops/core/jobs";
import type { ReportedRetention } from "@openemr-ops/report/report";
import type { Survey, SurveyedDump, SurveyedStore } from "@openemr-ops/report/survey";
import { aJobRecord } from "./aJobRecord.ts";

const day = 24 * 3600 * 1000;
const mebibyte = 1024 * 1024;

/** The moment at which the surveys of tests are made. */
export const surveyedAt = new Date("2026-11-27T06:00:00.000Z");

/** So many days before the survey, at a quarter past two. */
const nightBefore = (days: number): Date => new Date(Date.parse("2026-11-27T02:15:00.000Z") - days * day);

export const destination = "s3://clinic-a-dumps/production";

/** The dump of the night so many days ago; sizes grow slowly, so that plots have something to show. */
export const aSurveyedDump = (days: number, changes: Partial<SurveyedDump> = {}): SurveyedDump => ({
  dumpId: ulid(nightBefore(days), () => 0.5),
  takenAt: nightBefore(days).toISOString(),
  complete: true,
  sealed: true,
  verified: null,
  rows: 2_000_000 - days * 900,
  files: 48_000 - days * 21,
  databaseBytes: (780 - days * 0.4 + (days % 7) * 3) * mebibyte,
  filesBytes: (4200 - days * 2.5) * mebibyte,
  seconds: 190 - days * 0.2 + (days % 5) * 11.5,
  warnings: 0,
  ...changes,
});

/** The record of the job that took a dump. */
export const aDumpJob = (dump: SurveyedDump, changes: Partial<JobRecord> = {}): JobRecord => {
  const { rows = 0, files = 0, databaseBytes = 0, filesBytes = 0, seconds = 0 } = dump;
  const at = new Date(Date.parse(dump.takenAt) - 4000);
  return aJobRecord({
    at,
    status: "succeeded",
    startedAt: at.toISOString(),
    endedAt: new Date(at.getTime() + seconds * 1000).toISOString(),
    figures: { rows, files, databaseBytes, filesBytes, seconds, warnings: 0 },
    result: { dumpId: dump.dumpId, destination },
    ...changes,
  });
};

export const aFailedJob = (days: number, changes: Partial<JobRecord> = {}): JobRecord => {
  const at = nightBefore(days);
  return aJobRecord({
    at,
    status: "failed",
    startedAt: at.toISOString(),
    endedAt: new Date(at.getTime() + 31_000).toISOString(),
    error: {
      name: "DatabaseUnavailableError",
      message: "127.0.0.1:3306 does not answer; check host, port and firewall",
    },
    ...changes,
  });
};

/** A restore drill of so many days ago. */
export const aDrillJob = (days: number, restoreSeconds: number, changes: Partial<JobRecord> = {}): JobRecord => {
  const at = new Date(nightBefore(days).getTime() + 3600 * 1000);
  return aJobRecord({
    at,
    kind: "drill",
    status: "succeeded",
    startedAt: at.toISOString(),
    endedAt: new Date(at.getTime() + restoreSeconds * 2000).toISOString(),
    figures: { restoreSeconds, compareSeconds: restoreSeconds * 0.6, rows: 1_900_000 },
    result: { dumpId: aSurveyedDump(days).dumpId, verdict: "passed" },
    ...changes,
  });
};

const kept = ({ dumpId, takenAt }: SurveyedDump, index: number): ReportedRetention => ({
  dumpId,
  takenAt,
  action: "keep",
  reasons: index === 0 ? ["daily", "newest complete"] : ["daily"],
  ...(index === 0 ? {} : { expectedAt: new Date(Date.parse(takenAt) + 14 * day).toISOString() }),
});

export const aSurveyedStore = (
  dumps: readonly SurveyedDump[],
  changes: Partial<SurveyedStore> = {},
): SurveyedStore => ({
  destination,
  format: "restic",
  policy: { keepLast: 0, keepDaily: 14, keepWeekly: 8, keepMonthly: 12, keepYearly: 0 },
  dumps: { value: dumps },
  retention: { value: dumps.filter(({ complete }) => complete).map(kept) },
  warnings: [],
  ...changes,
});

/** An installation in order: a dump each night for two weeks, one of them verified by a drill. */
export const aSurvey = (changes: Partial<Survey> = {}): Survey => {
  const drilled = { level: "drill", at: "2026-11-26T03:20:00.000Z" };
  const dumps = Array.from({ length: 14 }, (_, days) => aSurveyedDump(days, days === 1 ? { verified: drilled } : {}));
  return {
    installation: "clinic-a",
    records: { value: [...dumps.map((dump) => aDumpJob(dump)), aDrillJob(1, 320)].sort(newestFirst) },
    stores: [aSurveyedStore(dumps)],
    goalMinutes: 30,
    rotations: [],
    ...changes,
  };
};

const newestFirst = (one: JobRecord, other: JobRecord): number => (one.requestedAt < other.requestedAt ? 1 : -1);

/** A year of nights: what retention left, failures, drills each week that grow slower, and a copy that lags. */
export const aYear = (installation = "clinic-a", nights = 400): Survey => {
  const failed = new Set([3, 40, 41, 199]);
  const all = Array.from({ length: nights }, (_, days) => days).filter((days) => !failed.has(days));
  const stays = (days: number): boolean => days < 14 || (days % 7 === 0 && days < 70) || days % 30 === 0;
  const drills = all.filter((days) => days % 7 === 1);
  const dumps = all.filter(stays).map((days) =>
    aSurveyedDump(days, {
      ...(days % 7 === 0 && days > 0 ? { verified: { level: "drill", at: nightBefore(days - 1).toISOString() } } : {}),
      ...(days === 5
        ? { complete: false, problem: "1 of its 2 halves are not at the destination", verified: null }
        : {}),
    }),
  );
  const records = [
    ...all.map((days) => aDumpJob(aSurveyedDump(days), { installation })),
    ...[...failed].map((days) => aFailedJob(days, { installation })),
    ...drills.map((days) => aDrillJob(days, 1500 - days * 2.2 + (days % 3) * 120, { installation })),
    aFailedJob(16, {
      installation,
      kind: "drill",
      error: { name: "DiskFullError", message: "no space left in /srv/drills" },
    }),
    ...[20, 110].map((days) =>
      aJobRecord({
        installation,
        at: nightBefore(days),
        kind: "rotateDatabase",
        status: "succeeded",
        startedAt: nightBefore(days).toISOString(),
        endedAt: nightBefore(days - 0.01).toISOString(),
      }),
    ),
  ].sort(newestFirst);
  const first = aSurveyedStore(dumps, {
    warnings: [{ code: "not-encrypted", message: "12 documents of site default are not encrypted" }],
  });
  const goes = "value" in first.retention ? first.retention.value.at(-1) : undefined;
  const retention = "value" in first.retention ? first.retention.value.slice(0, -1) : [];
  return {
    installation,
    records: { value: records },
    stores: [
      {
        ...first,
        retention: {
          value: [
            ...retention,
            ...(goes ? [{ ...goes, action: "delete" as const, reasons: ["no rule keeps it"] }] : []),
          ],
        },
      },
      aSurveyedStore(dumps.filter(({ complete }) => complete).slice(2), {
        copy: 1,
        destination: "gs://clinic-a-copy/dumps",
      }),
    ],
    goalMinutes: 24,
    rotations: [
      { kind: "rotateDatabase", noun: "Rotation of the database user" },
      { kind: "rotateAdmin", noun: "Rotation of the administrator" },
    ],
    exports: {
      value: [
        {
          kind: "database",
          exportId: "20261126T040800Z-00abcdef",
          startedAt: "2026-11-26T04:08:00.000Z",
          state: "complete",
          profile: "deidentified",
          rows: 1_980_000,
          bytes: 96 * mebibyte,
        },
        {
          kind: "sites",
          exportId: "20261125T040800Z-00abcdef",
          startedAt: "2026-11-25T04:08:00.000Z",
          state: "incomplete",
          files: 47_000,
          bytes: 3900 * mebibyte,
          remark: "2 files could not be read or decrypted; the inventory has them",
        },
      ],
    },
    schedules: {
      value: [
        {
          kind: "dump",
          noun: "Dump",
          cron: "15 2 * * *",
          timeZone: "UTC",
          nextDueAt: "2026-11-28T02:15:00.000Z",
          lastSuccessAt: "2026-11-27T02:19:00.000Z",
        },
        {
          kind: "check",
          noun: "Check",
          cron: "0 5 * * 0",
          timeZone: "Europe/Berlin",
          nextDueAt: "2026-11-29T04:00:00.000Z",
          overdueSince: "2026-11-22T04:00:00.000Z",
        },
      ],
    },
  };
};

/** An installation whose store does not answer, and whose records are known. */
export const anUnreachableStore = (installation: string): Survey => {
  const unread = {
    name: "DestinationUnavailableError",
    message: 's3://clinic-b: the store does not answer <b>"now"</b>',
  };
  return aSurvey({
    installation,
    stores: [aSurveyedStore([], { dumps: { unread }, retention: { unread } })],
    records: { value: [0, 1, 2].map((days) => aDumpJob(aSurveyedDump(days), { installation })) },
  });
};

/** An installation without any dump yet. */
export const aNewInstallation = (installation: string): Survey => ({
  installation,
  records: { value: [] },
  stores: [aSurveyedStore([])],
  rotations: [],
});
