import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import type { Installation } from "@openemr-ops/core/config/settings";
import { nextDue } from "@openemr-ops/core/cron";
import { type OpsError, toOpsError } from "@openemr-ops/core/errors";
import type { JobFilter, JobLedger, JobRecord } from "@openemr-ops/core/jobs";
import { surveyDumps } from "@openemr-ops/dumps/steps/surveyDumps";
import { type JobKind, jobKinds, kindNames, type ScheduledKind, scheduledKinds } from "@openemr-ops/events/jobKinds";
import type { ListedExport } from "@openemr-ops/exports/listExports";
import { lastSuccessOf, overdueAt } from "@openemr-ops/jobs/findOverdue";
import type { Reading, ReportedSchedule } from "@openemr-ops/report/report";
import type { Survey, SurveyedStore } from "@openemr-ops/report/survey";
import { openStores } from "./openStores.ts";
import type { Place } from "./program.ts";
import { dumpContext, dumpsOf } from "./programs/dumpContext.ts";

/** Records of a state directory that a report reads: a year of a dump, a check and ten looks at the health each day. */
const mostRecords = 5000;
/** The same of each kind, where a ledger can be asked for one. */
const mostOfAKind = 500;

const unread = (error: unknown) => {
  const { name, message }: OpsError = toOpsError(error);
  return { unread: { name, message } };
};

/** What was read, or the error's name and message. A person's request to stop is no reading. */
const reading = async <Value>(signal: AbortSignal, read: () => Promise<Value>): Promise<Reading<Value>> => {
  try {
    return { value: await read() };
  } catch (error) {
    signal.throwIfAborted();
    return unread(error);
  }
};

const newestFirst = (one: JobRecord, other: JobRecord): number => (one.requestedAt < other.requestedAt ? 1 : -1);

/** Records of one installation, newest first, without dry runs. */
const recordsOf = async (place: Place): Promise<readonly JobRecord[]> => {
  const { id } = place.installation;
  const { history } = place;
  if (!history) {
    const { jobs } = await openStores(place);
    return (await jobs.list(id, mostRecords)).filter(({ dryRun }) => !dryRun);
  }
  const lists = await Promise.all(kindNames.map((kind) => history.list(id, mostOfAKind, { kind, dryRun: false })));
  return lists.flat().sort(newestFirst);
};

const storeOf = async (place: Place, copy: number | undefined): Promise<SurveyedStore> => {
  const { dumps } = dumpsOf(place, copy);
  const common = {
    ...(copy === undefined ? {} : { copy }),
    destination: formatDestination(dumps.destination),
    format: dumps.format,
    policy: dumps.retention,
  };
  const survey = await reading(place.signal, async () =>
    surveyDumps(await dumpContext(place, copy), dumps.retention, copy === undefined ? "dump" : "copy"),
  );
  if ("unread" in survey) return { ...common, dumps: survey, retention: survey, warnings: [] };
  const { dumps: listed, warnings, retention } = survey.value;
  return {
    ...common,
    dumps: { value: listed },
    retention: "error" in retention ? unread(retention.error) : { value: retention.entries },
    warnings: warnings.map(({ code, message }) => ({ code, message })),
  };
};

/** A ledger's answers from records that were read before. */
const listFrom = (records: readonly JobRecord[]): Pick<JobLedger, "list"> => ({
  list: async (_installation, limit = records.length, { kind, status, dryRun, requestedBefore }: JobFilter = {}) =>
    records
      .filter(
        (record) =>
          (kind === undefined || record.kind === kind) &&
          (status === undefined || record.status === status) &&
          (dryRun === undefined || record.dryRun === dryRun) &&
          (requestedBefore === undefined || Date.parse(record.requestedAt) < requestedBefore.getTime()),
      )
      .slice(0, limit),
});

const schedulesOf = async (
  { id, schedules }: Installation,
  records: readonly JobRecord[],
  now: Date,
): Promise<readonly ReportedSchedule[]> => {
  const ledger = listFrom(records);
  const isWritten = records.some(({ kind, endedAt }) => kind === "report" && endedAt === undefined);
  const asked = scheduledKinds.flatMap((kind) => {
    const schedule = schedules[kind];
    return schedule ? [{ kind, schedule }] : [];
  });
  return Promise.all(
    asked.map(async ({ kind, schedule: { cron, timeZone, deadlineMinutes } }) => {
      const since = new Date(0).toISOString(); // when it was deployed is not known here
      const overdue = await overdueAt(ledger, id, { kind, cron, timeZone, deadlineMinutes, since }, now);
      const success = await lastSuccessOf(ledger, id, kind);
      const nextDueAt = nextDue({ cron, timeZone }, now)?.toISOString();
      return {
        kind,
        noun: jobKinds[kind].noun,
        cron,
        timeZone,
        ...(nextDueAt === undefined ? {} : { nextDueAt }),
        ...(success ? { lastSuccessAt: success.endedAt } : {}),
        ...(overdue && !(kind === "report" && isWritten) ? { overdueSince: overdue.dueAt.toISOString() } : {}),
      };
    }),
  );
};

const partsThatRotate = {
  database: "rotateDatabase",
  admin: "rotateAdmin",
  master: "rotateMaster",
  smtp: "rotateSmtp",
} as const satisfies Readonly<Record<string, JobKind & ScheduledKind>>;

const rotationsOf = ({ rotations = {} }: Installation): Survey["rotations"] =>
  Object.entries(partsThatRotate).flatMap(([part, kind]) =>
    part in rotations ? [{ kind, noun: jobKinds[kind].noun }] : [],
  );

const reportedExport = ({ kind, exportId, startedAt, state, profile, rows, files, bytes, problem }: ListedExport) => ({
  kind,
  exportId,
  startedAt,
  state,
  ...(profile === undefined ? {} : { profile }),
  ...(rows === undefined ? {} : { rows }),
  ...(files === undefined ? {} : { files }),
  ...(bytes === undefined ? {} : { bytes }),
  ...(problem === undefined ? {} : { remark: problem }),
});

/**
 * Reads all that a report says of one installation: its records, each store once, its exports. Writes nothing. What cannot
 * be read is in the answer as such, so that one store that is down does not hide the others.
 *
 * @throws {JobAbortedError} fatal: somebody asked the program to stop; nothing else
 */
export const surveyInstallation = async (
  place: Place,
  listExports: (place: Place) => Promise<readonly ListedExport[]>,
): Promise<Survey> => {
  const { installation, signal, now } = place;
  const records = await reading(signal, () => recordsOf(place));
  // Drills, retention and exports read the same records, which are read once.
  const known: Place = "value" in records ? { ...place, history: listFrom(records.value) } : place;
  const stores: SurveyedStore[] = [];
  const copies = installation.dumps?.copies.map((_, index) => index + 1) ?? [];
  for (const copy of installation.dumps ? [undefined, ...copies] : []) stores.push(await storeOf(known, copy));
  const goalMinutes = installation.dumps?.drill.goalMinutes;
  const scheduled = Object.keys(installation.schedules).length > 0;
  const schedules: Survey["schedules"] =
    "value" in records
      ? await reading(signal, () => schedulesOf(installation, records.value, now()))
      : { unread: records.unread };
  return {
    installation: installation.id,
    records,
    stores,
    ...(goalMinutes === undefined ? {} : { goalMinutes }),
    rotations: rotationsOf(installation),
    ...(installation.exports
      ? { exports: await reading(signal, async () => (await listExports(known)).map(reportedExport)) }
      : {}),
    ...(scheduled ? { schedules } : {}),
  };
};
