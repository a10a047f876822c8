import type { JobRecord } from "@openemr-ops/core/jobs";
import { failedWhereLost, startOf } from "./lostJobs.ts";
import { openWarnings } from "./openWarnings.ts";
import type {
  InstallationReport,
  Reading,
  ReportedCredential,
  ReportedDrill,
  ReportedDrills,
  ReportedDump,
  ReportedStore,
} from "./report.ts";
import type { Survey, SurveyedDump, SurveyedStore } from "./survey.ts";

const day = 24 * 3600 * 1000;

/** `value` of a reading by a function; what was not read stays so. */
const mapRead = <From, To>(reading: Reading<From>, map: (value: From) => To): Reading<To> =>
  "value" in reading ? { value: map(reading.value) } : reading;

const ageDays = (moment: string, now: Date): number =>
  Math.max(0, Math.round(((now.getTime() - Date.parse(moment)) / day) * 10) / 10);

const remarkOf = ({ error }: JobRecord): { readonly remark?: string } =>
  error ? { remark: `${error.name}: ${error.message}` } : {};

/** What a listing and a record both have. */
const figuresOf = (figures: Readonly<Record<string, number>> | SurveyedDump) => {
  const { rows, files, databaseBytes, filesBytes, seconds, warnings } = figures as Partial<Record<string, number>>;
  return {
    ...(rows === undefined ? {} : { rows }),
    ...(files === undefined ? {} : { files }),
    ...(databaseBytes === undefined ? {} : { databaseBytes }),
    ...(filesBytes === undefined ? {} : { filesBytes }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(warnings === undefined ? {} : { warnings }),
  };
};

/** As retention has it: a look at the objects alone proves too little. */
const isThorough = ({ verified }: SurveyedDump): boolean => verified !== null && verified.level !== "objects";

const listedDump = (dump: SurveyedDump): ReportedDump => ({
  dumpId: dump.dumpId,
  at: dump.takenAt,
  state: dump.complete ? (isThorough(dump) ? "verified" : "complete") : "damaged",
  ...(dump.verified ? { verified: { level: dump.verified.level, at: dump.verified.at } } : {}),
  sealed: dump.sealed,
  ...figuresOf(dump),
  ...(dump.problem === undefined ? {} : { remark: dump.problem }),
});

const newestFirst = (one: { readonly at: string }, other: { readonly at: string }): number =>
  one.at < other.at ? 1 : one.at > other.at ? -1 : 0;

/** Attempts that the destination does not show: failed ones, and dumps that are gone, or that nobody could look for. */
const otherDumps = (
  records: readonly JobRecord[],
  here: ReadonlySet<string> | undefined,
  destination: string,
): readonly ReportedDump[] =>
  records
    .filter(({ kind }) => kind === "dump")
    .flatMap((record): readonly ReportedDump[] => {
      const { jobId, status, result = {}, figures = {} } = record;
      const common = { jobId, at: startOf(record), ...figuresOf(figures) };
      if (status === "failed" || status === "aborted") return [{ ...common, state: "failed", ...remarkOf(record) }];
      const { dumpId } = result;
      // A dump that went to another destination has not expired at this one.
      const elsewhere = result.destination !== undefined && result.destination !== destination;
      if (status !== "succeeded" || dumpId === undefined || here?.has(dumpId) || elsewhere) return [];
      return [{ ...common, dumpId, state: here ? "expired" : "unknown" }];
    });

const describeStore = (
  { copy, destination, format, policy, dumps, retention }: SurveyedStore,
  records: Survey["records"],
): ReportedStore => {
  const recorded = copy === undefined && "value" in records ? records.value : [];
  const listed = "value" in dumps ? dumps.value : undefined;
  const here = listed && new Set(listed.map(({ dumpId }) => dumpId));
  return {
    ...(copy === undefined ? {} : { copy }),
    destination,
    format,
    policy,
    ...("unread" in dumps ? { unread: dumps.unread } : {}),
    dumps: [...(listed ?? []).map(listedDump), ...otherDumps(recorded, here, destination)].sort(newestFirst),
    retention,
  };
};

const describeDrill = (record: JobRecord, goalSeconds: number | undefined): readonly ReportedDrill[] => {
  const { jobId, kind, status, figures = {}, result = {} } = record;
  if (kind !== "drill" || status === "requested" || status === "running") return [];
  const { restoreSeconds, compareSeconds } = figures;
  return [
    {
      jobId,
      at: startOf(record),
      status,
      ...(result.dumpId === undefined ? {} : { dumpId: result.dumpId }),
      ...(restoreSeconds === undefined ? {} : { restoreSeconds }),
      ...(compareSeconds === undefined ? {} : { compareSeconds }),
      ...(restoreSeconds === undefined || goalSeconds === undefined
        ? {}
        : { withinGoal: restoreSeconds <= goalSeconds }),
      ...remarkOf(record),
    },
  ];
};

const describeDrills = (records: readonly JobRecord[], goalMinutes: number | undefined): ReportedDrills => {
  const goalSeconds = goalMinutes === undefined ? undefined : goalMinutes * 60;
  return {
    ...(goalSeconds === undefined ? {} : { goalSeconds }),
    drills: records.flatMap((record) => describeDrill(record, goalSeconds)).sort(newestFirst),
  };
};

const describeCredential = (
  { kind, noun }: Survey["rotations"][number],
  records: readonly JobRecord[],
  now: Date,
): ReportedCredential => {
  const ofKind = records.filter((record) => record.kind === kind);
  const success = ofKind.find(({ status }) => status === "succeeded");
  const newest = ofKind.find(({ status }) => status !== "requested" && status !== "running");
  return {
    kind,
    noun,
    ...(success?.endedAt === undefined
      ? {}
      : { lastSuccessAt: success.endedAt, ageDays: ageDays(success.endedAt, now) }),
    ...(newest?.error ? { lastFailure: { at: newest.endedAt ?? startOf(newest), ...newest.error } } : {}),
  };
};

/** Records of jobs since a moment. */
const since = (records: Survey["records"], from: Date): Survey["records"] =>
  mapRead(records, (all) => all.filter((record) => Date.parse(startOf(record)) >= from.getTime()));

/**
 * What a report says of an installation. The same survey at the same moment gives the same report.
 *
 * @param from how far back failed and expired dumps and drills are shown; what is at the destination is shown whatever its age
 */
export const describeInstallation = (
  survey: Survey,
  { now, from }: { readonly now: Date; readonly from: Date },
): InstallationReport => {
  const { installation, stores, goalMinutes, rotations, exports, schedules } = survey;
  const records = mapRead(survey.records, (all) => all.map((record) => failedWhereLost(record, now)));
  const recent = since(records, from);
  const described = {
    installation,
    stores: stores.map((store) => describeStore(store, recent)),
    ...(stores.length > 0 ? { drills: mapRead(recent, (all) => describeDrills(all, goalMinutes)) } : {}),
    ...(rotations.length > 0
      ? { credentials: mapRead(records, (all) => rotations.map((one) => describeCredential(one, all, now))) }
      : {}),
    ...(exports
      ? {
          exports: mapRead(exports, (all) => all.map((one) => ({ ...one, ageDays: ageDays(one.startedAt, now) }))),
        }
      : {}),
    ...(schedules ? { schedules } : {}),
  };
  const complete =
    stores.every(({ dumps, retention }) => "value" in dumps && "value" in retention) &&
    [records, exports, schedules].every((reading) => reading === undefined || "value" in reading);
  return { ...described, complete, openWarnings: openWarnings(described, { ...survey, records }, now) };
};
