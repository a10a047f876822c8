import { formatDuration, formatMoment } from "@openemr-ops/core/format";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { completeDumps, isFuture } from "./completeDumps.ts";
import { startOf } from "./lostJobs.ts";
import type { InstallationReport, OpenWarning, Reading, ReportedDump, ReportedStore } from "./report.ts";
import type { Survey } from "./survey.ts";
import { formatAge, formatGoal } from "./words.ts";

const hour = 3600 * 1000;
const day = 24 * hour;
/** A day, and time for a dump to end: younger is never late. */
const youngHours = 26;
/** As `health` has it: a drill each month is the least. */
const verifiedDays = 31;

type Described = Omit<InstallationReport, "openWarnings" | "complete">;

const failed = (about: string, message: string): OpenWarning => ({ severity: "failed", about, message });
const warning = (about: string, message: string): OpenWarning => ({ severity: "warning", about, message });
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** How a store is called in texts. */
const storeName = ({ copy }: Pick<ReportedStore, "copy">): string => (copy === undefined ? "dumps" : `copy ${copy}`);

/** A dump is late after twice the usual time between two. Milliseconds. */
const patience = (complete: readonly ReportedDump[]): number => {
  const moments = complete.slice(0, 15).map(({ at }) => Date.parse(at));
  const gaps = moments.slice(1).map((moment, index) => (moments[index] ?? moment) - moment);
  const median = gaps.sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? 0;
  return Math.max(youngHours * hour, 2 * median);
};

const ofNewest = (name: string, newest: ReportedDump, complete: readonly ReportedDump[], now: Date) => {
  const age = now.getTime() - Date.parse(newest.at);
  return [
    ...(age > patience(complete)
      ? [failed(name, `the newest complete dump is ${formatAge(age / 1000)} old (${formatMoment(newest.at)})`)]
      : []),
    ...(newest.sealed === false
      ? [
          warning(
            name,
            `the newest complete dump is not sealed: anyone who can write to the destination could have made it`,
          ),
        ]
      : []),
  ];
};

const ofProof = (name: string, complete: readonly ReportedDump[], now: Date): readonly OpenWarning[] => {
  const proven = complete.find(({ state }) => state === "verified");
  if (!proven?.verified)
    return [
      warning(name, "no dump has passed a drill or a check at level read-data: nobody knows whether they restore"),
    ];
  const age = (now.getTime() - Date.parse(proven.verified.at)) / day;
  return age > verifiedDays
    ? [warning(name, `the newest drill or check at level read-data that passed is ${Math.round(age)} days old`)]
    : [];
};

const ofStore = (store: ReportedStore, now: Date): readonly OpenWarning[] => {
  const name = storeName(store);
  if (store.unread)
    return [failed(name, `${store.destination} could not be read: ${store.unread.name}: ${store.unread.message}`)];
  const complete = completeDumps(store, now);
  const [newest] = complete;
  const damaged = store.dumps.filter(({ state }) => state === "damaged");
  const future = store.dumps.filter((dump) => isFuture(dump, now));
  const notes = [
    ...damaged.map(({ dumpId = "", remark = "" }) => failed(name, `dump ${dumpId} is not complete: ${remark}`)),
    ...future.map(({ dumpId = "", at }) =>
      warning(name, `dump ${dumpId} has a time in the future (${at}); check that machine's clock`),
    ),
    ...("unread" in store.retention
      ? [
          warning(
            name,
            `retention could not be planned: ${store.retention.unread.name}: ${store.retention.unread.message}`,
          ),
        ]
      : []),
  ];
  if (!newest)
    return [
      failed(
        name,
        `${store.destination} contains no complete dump; check that the disk is mounted and the bucket is correct`,
      ),
      ...notes,
    ];
  return [...ofNewest(name, newest, complete, now), ...notes, ...ofProof(name, complete, now)];
};

/** A copy that lags behind. */
const ofCopies = ([first, ...copies]: readonly ReportedStore[], now: Date): readonly OpenWarning[] =>
  copies.flatMap((copy) => {
    if (!first || first.unread || copy.unread) return [];
    const newest = completeDumps(copy, now)[0]?.at ?? "";
    const missing = completeDumps(first, now).filter(({ at }) => at > newest).length;
    return missing > 0 ? [warning(storeName(copy), `lacks the newest ${plural(missing, "dump")}`)] : [];
  });

/** What a job worked on: each copy has jobs of its own. */
const subjectOf = ({ kind, result, input }: JobRecord): string => {
  const copy = result?.copy ?? input?.copy;
  if (copy === undefined) return kind;
  return kind === "copy" ? `copy ${copy}` : `${kind} of copy ${copy}`;
};

const failureWords = (record: JobRecord): string => {
  const { status, endedAt, error } = record;
  if (endedAt === undefined)
    return `the newest job started at ${formatMoment(startOf(record))} and reported no result; it was probably killed`;
  const why = error ? `: ${error.name}: ${error.message}` : "";
  return `the newest job was ${status === "aborted" ? "stopped" : "not successful"} (${formatMoment(endedAt)})${why}`;
};

/** Kinds of jobs, at each copy, whose newest one did not succeed. A job that still runs has no result yet. */
const ofJobs = (records: readonly JobRecord[]): readonly OpenWarning[] => {
  const newest = new Map<string, JobRecord>();
  for (const record of records) {
    const subject = subjectOf(record);
    const hasResult = record.status !== "requested" && record.status !== "running";
    if (hasResult && !newest.has(subject)) newest.set(subject, record);
  }
  return [...newest].flatMap(([subject, record]) => {
    if (record.status === "succeeded") return [];
    const say = record.status === "aborted" ? warning : failed;
    return [say(subject, failureWords(record))];
  });
};

const ofDrills = (drills: Described["drills"]): readonly OpenWarning[] => {
  if (!drills || "unread" in drills || drills.value.goalSeconds === undefined) return [];
  const { goalSeconds, drills: all } = drills.value;
  const measured = all.find(({ restoreSeconds }) => restoreSeconds !== undefined);
  if (measured?.restoreSeconds === undefined)
    return [
      warning(
        "drill",
        `no drill has measured whether a restore takes less than the goal of ${formatGoal(goalSeconds)}`,
      ),
    ];
  return measured.withinGoal === false
    ? [
        failed(
          "drill",
          `the newest drill restored in ${formatDuration(measured.restoreSeconds)}; the goal is ${formatGoal(goalSeconds)}`,
        ),
      ]
    : [];
};

const ofSchedules = (schedules: Described["schedules"]): readonly OpenWarning[] =>
  schedules && "value" in schedules
    ? schedules.value.flatMap(({ kind, overdueSince }) =>
        overdueSince === undefined ? [] : [failed(kind, `overdue since ${formatMoment(overdueSince)}`)],
      )
    : [];

const ofCredentials = (credentials: Described["credentials"]): readonly OpenWarning[] =>
  credentials && "value" in credentials
    ? credentials.value.flatMap(({ kind, lastSuccessAt }) =>
        lastSuccessAt === undefined ? [warning(kind, "has not succeeded, as far as the job records reach")] : [],
      )
    : [];

const ofExports = (exports: Described["exports"]): readonly OpenWarning[] => {
  if (!exports || "unread" in exports) return [];
  const kinds = [...new Set(exports.value.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const newest = exports.value.find((one) => one.kind === kind);
    return newest?.state === "incomplete"
      ? [warning(`${kind} export`, `the newest export is incomplete${newest.remark ? `: ${newest.remark}` : ""}`)]
      : [];
  });
};

const ofReading = (about: string, reading: Reading<unknown> | undefined): readonly OpenWarning[] =>
  reading && "unread" in reading
    ? [failed(about, `could not be read: ${reading.unread.name}: ${reading.unread.message}`)]
    : [];

/** What a person should look at, worst first. It decides from what was read alone, and names what could not be read. */
export const openWarnings = (described: Described, survey: Survey, now: Date): readonly OpenWarning[] => {
  const { stores, drills, credentials, exports, schedules } = described;
  const source = survey.stores.find(({ copy }) => copy === undefined)?.warnings ?? [];
  const all = [
    ...ofReading("job records", survey.records),
    ...ofReading("exports", exports),
    ...stores.flatMap((store) => ofStore(store, now)),
    ...ofCopies(stores, now),
    ...ofSchedules(schedules),
    ...("value" in survey.records ? ofJobs(survey.records.value) : []),
    ...ofDrills(drills),
    ...source.map(({ code, message }) => warning(code, message)),
    ...ofCredentials(credentials),
    ...ofExports(exports),
  ];
  return [
    ...all.filter(({ severity }) => severity === "failed"),
    ...all.filter(({ severity }) => severity !== "failed"),
  ];
};
