import { runProgram } from "@openemr-ops/cli/program";
import type { Surroundings } from "@openemr-ops/cli/surroundings";
import type { Sink } from "@openemr-ops/cli/terminal";
import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import type { HealthCheck } from "@openemr-ops/core/errors";
import type { PreparedUser } from "@openemr-ops/database/users/prepareUsers";
import type { RetentionResult } from "@openemr-ops/dumps/steps/applyRetention";
import type { BrowsedDump, BrowsedFile } from "@openemr-ops/dumps/steps/browseDump";
import type { CheckPlan, CheckResult } from "@openemr-ops/dumps/steps/checkDumps";
import type { CopyPlan, CopyResult } from "@openemr-ops/dumps/steps/copyDumps";
import type { RestorePlan } from "@openemr-ops/dumps/steps/restoreDump";
import type { PartPlan, PartVerdict } from "@openemr-ops/dumps/steps/restorePart";
import type { DumpPlan, DumpResult } from "@openemr-ops/dumps/steps/takeDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { InputOf, JobInput } from "@openemr-ops/events/jobKinds";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { DatabaseExportResult, SitesExportResult } from "@openemr-ops/exports/context";
import type { HealthResult } from "@openemr-ops/health/checkHealth";
import type { Report } from "@openemr-ops/report/report";
import { openNotifier } from "@openemr-ops/task/openNotifier";
import type { Operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { checkPlanReport, checkReport } from "@openemr-ops/task/programs/check";
import { copyPlanReport, copyReport } from "@openemr-ops/task/programs/copy";
import type { DrillPlan } from "@openemr-ops/task/programs/drill";
import { dumpPlanReport, dumpReport } from "@openemr-ops/task/programs/dump";
import { type DatabasePlan, databaseExportReport, databasePlanReport } from "@openemr-ops/task/programs/exportDatabase";
import { type SitesPlan, sitesExportReport, sitesPlanReport } from "@openemr-ops/task/programs/exportSites";
import { type RestoreRequest, restore } from "@openemr-ops/task/programs/restore";
import { retentionReport } from "@openemr-ops/task/programs/retention";
import type { RotateAdminPlan, RotateAdminResult } from "@openemr-ops/task/programs/rotateAdmin";
import type { DatabaseRotationResult, RotateDatabasePlan } from "@openemr-ops/task/programs/rotateDatabase";
import type { RotateSmtpPlan, RotateSmtpResult } from "@openemr-ops/task/programs/rotateSmtp";
import { usersReport } from "@openemr-ops/task/programs/users";
import { restorePlanReport, verdictReport } from "@openemr-ops/task/programs/verdictReport";
import { aSurvey } from "./aSurvey.ts";
import { memoryJobs } from "./memoryJobs.ts";
import { memoryLocks } from "./memoryLocks.ts";

export const dumpId = "01K9ZV6T5W8QH3N2R4X7BCDEFG";
const takenAt = "2026-11-21T04:08:00.123Z";
const digest = "0".repeat(64);

const aDumpResult: DumpResult = {
  dumpId,
  complete: true,
  manifest: {
    version: 1,
    dumpId,
    installation: "clinic-a",
    format: "restic",
    purpose: "scheduled",
    startedAt: takenAt,
    takenAt,
    sealedAt: takenAt,
    openemr: { version: null, dockerVersion: null, timeZone: null, sites: ["default"] },
    server: { product: "MariaDB", version: "10.11.19", characterSet: "utf8mb4", collation: "utf8mb4_general_ci" },
    database: {
      name: "openemr",
      part: { kind: "snapshot", snapshotId: digest },
      byteLength: 2048,
      rows: 1_234_567,
      largestStatement: 100,
      tables: [],
      programs: [],
    },
    sites: { part: { kind: "snapshot", snapshotId: digest }, files: 3, directories: 1, byteLength: 10, vanished: 0 },
    keyProof: { status: "proven", sites: [], problems: [] },
    documents: {},
    warnings: [{ code: "documents-without-file", message: "2 rows of documents have no file" }],
    tools: {},
    seconds: 4.2,
    digest,
  },
  figures: { rows: 1_234_567, databaseBytes: 1536, seconds: 4.2 },
};

const aCopyResult: CopyResult = {
  destination: "file:///srv/copies",
  copied: [dumpId],
  skipped: [],
  newest: aDumpResult.manifest,
  parts: { database: { kind: "snapshot", snapshotId: digest }, sites: { kind: "snapshot", snapshotId: digest } },
  seconds: 2.5,
};

export const aVerdict: Verdict = {
  verdict: "passed",
  dumpId,
  takenAt,
  target: { database: "restored", sites: "/srv/restore" },
  tables: 5,
  rows: 10,
  files: 3,
  filesBytes: 2048,
  documents: 2,
  tableDigests: [],
  keyProof: "proven",
  differences: [],
  dropped: [],
  notRestored: [],
  warnings: [],
  seconds: { database: 1, sites: 1, restore: 2, compare: 1 },
  next: ["start OpenEMR"],
};

const aBrowsedDump: BrowsedDump = {
  dumpId,
  takenAt,
  openemr: null,
  sites: ["default"],
  tables: [{ table: "globals", rows: 2, bytes: 2048 }],
  rows: 2,
  databaseBytes: 4096,
  files: 2,
  directories: 1,
  filesBytes: 1536,
};

export const someBrowsedFiles: readonly BrowsedFile[] = [
  { path: "default/documents", kind: "directory", bytes: 0, modifiedAt: takenAt, mode: "0700", uid: 1000, gid: 101 },
  {
    path: "default/documents/a\u001b[31m",
    kind: "file",
    bytes: 1536,
    modifiedAt: takenAt,
    mode: "0600",
    uid: 0,
    gid: 0,
  },
];

const aPart = {
  dumpId,
  takenAt,
  part: "tables" as const,
  target: { database: "look" },
  tables: [{ table: "globals", rows: 2 }],
  ...{ rows: 2, files: 0, filesBytes: 0 },
};
const aPartVerdict: PartVerdict = {
  ...aPart,
  verdict: "passed",
  ...{ differences: [], dropped: [], notRestored: [] },
  seconds: { restore: 2, compare: 1 },
  remarks: ["drop schema look"],
};

export const aDatabaseExport: DatabaseExportResult = {
  exportId: "20261121T040800Z-00abcdef",
  location: "s3://sagemaker-clinic-a/analytics/database/20261121T040800Z-00abcdef",
  profile: "full",
  tables: 2,
  rows: 1_234_567,
  bytes: 4096,
  seconds: 4.2,
  skipped: [{ table: "keys", reason: "holds secrets alone" }],
  largest: [
    { table: "log", rows: 1_234_560, bytes: 3072, rawBytes: 30_720, files: 2 },
    { table: "patient_data", rows: 7, bytes: 1024, rawBytes: 1024, files: 1 },
  ],
};

export const aSitesExport: SitesExportResult = {
  exportId: "20261121T040800Z-00abcdef",
  location: "s3://sagemaker-clinic-a/analytics/sites",
  files: 10,
  bytes: 2048,
  uploaded: 1,
  unchanged: 9,
  excluded: 4,
  excludedBy: { "key file": 4 },
  deleted: 2,
  unstable: 0,
  skipped: 1,
  seconds: 1.5,
};

export const aHealthyCheck: HealthCheck = { name: "openemr", ok: true, status: "ok", detail: "OpenEMR is ready" };
const aPreparedUser: PreparedUser = {
  role: "dump user",
  user: "openemr_dump",
  steps: ["createUser", "grantRights"],
  lacks: [],
};
const aDatabasePlan: RotateDatabasePlan = {
  dryRun: true,
  activeSlot: "B",
  user: "openemr_b",
  replaces: ["openemr_a"],
  retires: "openemr_a",
  sites: ["default", "second"],
  others: [],
  continues: false,
  redeploy: "run systemctl",
};
const aRotatedDatabase: DatabaseRotationResult = {
  activeSlot: "B",
  user: "openemr_b",
  sites: ["default", "second"],
  proven: ["default", "second"],
  retired: "openemr_a",
  seconds: 75.2,
};
const anSmtpPlan: RotateSmtpPlan = {
  dryRun: true,
  steps: ["createKey", "storePassword", "logIn", "writeIntoOpenEmr", "sendTestMessage", "makePasswordCurrent"],
  accessKeyId: "AKIAOLD",
  sites: ["default"],
  warnings: ["the site second sends by SENDMAIL"],
  redeploy: false,
};
const aRotatedSmtp: RotateSmtpResult = {
  accessKeyId: "AKIANEW",
  previous: "AKIAOLD",
  writtenTo: ["default"],
  healed: [],
  testMessageId: "0100-0",
  state: "soaking",
  soakEnds: "2026-11-22T04:08:00.123Z",
  steps: ["createKey"],
  redeploy: false,
  seconds: 12.3,
};
const report: TaskReport = { figures: {}, result: {} };

/** The place where a program works, and whether it only plans. */
export interface Job extends Place {
  readonly dryRun: boolean;
}

/** The work of each program, by what it does. */
export interface Steps extends Pick<Operations, "planCloudSql"> {
  takeDump(job: Job, options: { readonly forceNewRepository: boolean }): Promise<DumpResult | DumpPlan>;
  restoreDump(job: Job, options: RestoreOptions): Promise<Verdict | RestorePlan>;
  drillDump(job: Job, options: { readonly dump: string }): Promise<Verdict | DrillPlan>;
  checkDumps(
    job: Job,
    options: { readonly level: CheckResult["level"]; readonly share?: string | undefined },
  ): Promise<CheckResult | CheckPlan>;
  applyRetention(job: Job): Promise<RetentionResult>;
  copyDumps(
    job: Job,
    options: { readonly copy: number; readonly forceNewRepository: boolean },
  ): Promise<CopyResult | CopyPlan>;
  checkHealth(job: Job): Promise<HealthResult>;
  prepareUsers(job: Job): Promise<readonly PreparedUser[]>;
  exportDatabase(
    job: Job,
    options: Pick<InputOf<"exportDatabase">, "engine" | "profile" | "tables">,
  ): Promise<DatabaseExportResult | DatabasePlan>;
  exportSites(job: Job): Promise<SitesExportResult | SitesPlan>;
  listDumps(job: Job): ReturnType<Operations["listDumps"]>;
  showDump(job: Job, options: unknown): ReturnType<Operations["showDump"]>;
  dumpAges(job: Job, options: unknown): ReturnType<Operations["dumpAges"]>;
  listExports(job: Job): ReturnType<Operations["listExports"]>;
  survey(job: Job): ReturnType<Operations["survey"]>;
  storeReport(job: Job, document: Report): ReturnType<Operations["storeReport"]>;
  checkSecrets(job: Job): ReturnType<Operations["checkSecrets"]>;
  checkDestination(job: Job): ReturnType<Operations["checkDestination"]>;
}
type RestoreOptions = Omit<RestoreRequest, keyof ReturnType<typeof askedOf>>;

export interface MemoryOperations extends Operations, Pick<Steps, "takeDump" | "drillDump"> {
  /** What was asked, in order. */
  readonly asked: { readonly operation: string; readonly job: Job; readonly options: unknown }[];
}

const askedOf = ({
  kind,
  version,
  installation,
  dryRun,
}: Pick<JobInput, "kind" | "version" | "installation" | "dryRun">) => ({
  kind,
  version,
  installation,
  dryRun,
});

/** What a request says beside what every request says. */
const optionsOf = <Request extends Pick<JobInput, "kind" | "version" | "installation" | "dryRun">>(
  request: Request,
) => {
  const { kind, version, installation, dryRun, ...options } = request;
  return options;
};

/** Programs that succeed at once and remember what they were asked; `changes` replaces the work of some. */
export const memoryOperations = (changes: Partial<Steps> = {}): MemoryOperations => {
  const asked: MemoryOperations["asked"] = [];
  const answer =
    <Result>(operation: string, result: Result) =>
    async (job: Place & { readonly dryRun?: boolean }, options?: unknown): Promise<Result> => {
      asked.push({ operation, job: { dryRun: false, ...job }, options });
      return result;
    };
  const steps: Steps = {
    takeDump: answer("takeDump", aDumpResult),
    listDumps: answer("listDumps", []),
    showDump: answer("showDump", {
      listed: { dumpId, takenAt, complete: true, sealed: true, verified: null },
      manifest: aDumpResult.manifest,
    }),
    dumpAges: answer("dumpAges", { complete: null, verified: null }),
    listExports: answer("listExports", []),
    storeReport: async ({ installation: { id } }) => ({ page: `s3://dumps/reports/${id}/2026-11-27.html`, bytes: 1 }),
    survey: async ({ installation }) => aSurvey({ installation: installation.id }),
    restoreDump: answer("restoreDump", aVerdict),
    planCloudSql: answer("planCloudSql", { dumpId, takenAt, command: "gcloud sql import sql INSTANCE gs://b/k" }),
    drillDump: answer("drillDump", aVerdict),
    checkDumps: answer("checkDumps", { level: "objects" as const, dumps: [dumpId], seconds: 1 }),
    copyDumps: answer("copyDumps", aCopyResult),
    checkSecrets: answer("checkSecrets", []),
    checkDestination: answer("checkDestination", [{ check: "it answers", ok: true, milliseconds: 3, note: "" }]),
    checkHealth: answer("checkHealth", { healthy: true, checks: [aHealthyCheck], figures: {}, result: {} }),
    exportDatabase: answer("exportDatabase", aDatabaseExport),
    exportSites: answer("exportSites", aSitesExport),
    prepareUsers: answer("prepareUsers", [aPreparedUser]),
    applyRetention: answer("applyRetention", { dryRun: false, keep: [], expire: [], orphans: [] }),
    ...changes,
  };
  /** Both ways of a program: what comes of the work may be a plan or a result, whatever was asked. */
  const program = <Request extends { readonly dryRun: boolean }, Answer>(
    work: (job: Job, request: Request) => Promise<Answer>,
    reportOf: (answer: Answer, place: Place) => TaskReport,
  ) => {
    const act = async (place: Place, request: Request) => {
      const result = await work({ ...place, dryRun: request.dryRun }, request);
      return { result: result as never, report: reportOf(result, place) };
    };
    return { plan: act, run: act };
  };
  /** A program that answers the same whatever it is asked, and says which way it was run. */
  const twoWays = <Plan, Result>(kind: string, plan: Plan, result: Result) => ({
    plan: async (place: Place, options: unknown) => {
      asked.push({ operation: `${kind}, planned`, job: { ...place, dryRun: true }, options });
      return { result: plan, report };
    },
    run: async (place: Place, options: unknown) => {
      asked.push({ operation: kind, job: { ...place, dryRun: false }, options });
      return { result, report };
    },
  });
  const verdictOrPlan = (answer: Verdict | RestorePlan | DrillPlan) =>
    "dryRun" in answer ? restorePlanReport(answer) : verdictReport(answer);
  return {
    asked,
    copyTo: twoWays("copyTo", { dryRun: true, destination: "file:///mnt/usb", dumps: [], skipped: [] }, aCopyResult),
    takeDump: steps.takeDump,
    drillDump: steps.drillDump,
    openStores: async ({ now }) => ({ jobs: memoryJobs(), locks: memoryLocks(now) }),
    openNotifier,
    checkChannels: async () => [],
    listDumps: (place) => steps.listDumps({ ...place, dryRun: false }),
    describeStore: async () => "there is nothing at file:///srv/backups/clinic-a: mount its disk",
    showDump: (place, options) => steps.showDump({ ...place, dryRun: false }, options),
    dumpAges: (place, options) => steps.dumpAges({ ...place, dryRun: false }, options),
    listExports: (place) => steps.listExports({ ...place, dryRun: false }),
    browseDump: answer("browseDump", aBrowsedDump),
    browseFiles: async (place, options, onFile) => {
      asked.push({ operation: "browseFiles", job: { dryRun: false, ...place }, options });
      for (const file of someBrowsedFiles) await onFile(file);
    },
    restorePart: twoWays<PartPlan, PartVerdict>("restorePart", { ...aPart, dryRun: true }, aPartVerdict),
    storeReport: (place, document) => steps.storeReport({ ...place, dryRun: false }, document),
    survey: (place) => steps.survey({ ...place, dryRun: false }),
    planCloudSql: steps.planCloudSql,
    checkSecrets: (place) => steps.checkSecrets({ ...place, dryRun: false }),
    checkDestination: (place) => steps.checkDestination({ ...place, dryRun: false }),
    examine: async () => [],
    testMail: (place, options) =>
      answer("testMail", {
        server: "smtp.example.org:587",
        sites: [{ site: "default", ok: true, method: "SMTP", user: "AKIANEW", messageId: "0100-0", notes: [] }],
      })(place, options),
    programs: {
      dump: program(
        (job, request: InputOf<"dump">) => steps.takeDump(job, optionsOf(request)),
        (answer, { installation: { dumps } }) => {
          if ("dryRun" in answer) return dumpPlanReport(answer);
          return dumpReport(answer, dumps ? formatDestination(dumps.destination) : "");
        },
      ),
      drill: program((job, request: InputOf<"drill">) => steps.drillDump(job, optionsOf(request)), verdictOrPlan),
      check: program(
        (job, request: InputOf<"check">) => steps.checkDumps(job, optionsOf(request)),
        (answer) => ("dryRun" in answer ? checkPlanReport(answer) : checkReport(answer)),
      ),
      copy: program(
        (job, request: InputOf<"copy">) => steps.copyDumps(job, optionsOf(request)),
        (answer) => ("dryRun" in answer ? copyPlanReport(answer, 1) : copyReport(answer, 1)),
      ),
      health: {
        plan: async (place) => {
          asked.push({ operation: "planHealth", job: { ...place, dryRun: true }, options: undefined });
          return {
            result: { dryRun: true, checks: [{ name: "openemr", at: "https://openemr.example.org/" }] },
            report,
          };
        },
        run: async (place) => {
          const result = await steps.checkHealth({ ...place, dryRun: false });
          return { result, report };
        },
      },
      report: twoWays(
        "report",
        { dryRun: true, page: "reports/clinic-a/2026-11-27.html", figures: { dumps: 1, failures: 0, warnings: 0 } },
        {
          page: "s3://dumps/reports/clinic-a/2026-11-27.html",
          bytes: 1,
          figures: { dumps: 1, failures: 0, warnings: 0 },
        },
      ),
      retention: program((job, _request: InputOf<"retention">) => steps.applyRetention(job), retentionReport),
      exportDatabase: program(
        (job, request: InputOf<"exportDatabase">) => steps.exportDatabase(job, optionsOf(request)),
        (answer) => ("dryRun" in answer ? databasePlanReport(answer) : databaseExportReport(answer)),
      ),
      exportSites: program(
        (job, _request: InputOf<"exportSites">) => steps.exportSites(job),
        (answer) => ("dryRun" in answer ? sitesPlanReport(answer) : sitesExportReport(answer)),
      ),
      users: {
        plan: async (place) => {
          const users = await steps.prepareUsers({ ...place, dryRun: true });
          return { result: { dryRun: true, users }, report: usersReport(users, true) };
        },
        run: async (place) => {
          const users = await steps.prepareUsers({ ...place, dryRun: false });
          return { result: { users }, report: usersReport(users, false) };
        },
      },
      rotateDatabase: twoWays("rotateDatabase", aDatabasePlan, aRotatedDatabase),
      rotateAdmin: twoWays<RotateAdminPlan, RotateAdminResult>(
        "rotateAdmin",
        {
          dryRun: true,
          user: "admin",
          site: "default",
          steps: ["storePassword", "changePassword", "makePasswordCurrent"],
          warnings: ["the second factor stays as it is"],
        },
        {
          user: "admin",
          site: "default",
          steps: ["storePassword", "changePassword", "makePasswordCurrent"],
          seconds: 2,
        },
      ),
      rotateMaster: twoWays(
        "rotateMaster",
        { dryRun: true, user: "admin", would: ["store a new password", "set it on the server"] },
        { user: "admin", proven: true, keptBy: "secret", seconds: 2 },
      ),
      rotateSmtp: twoWays<RotateSmtpPlan, RotateSmtpResult>("rotateSmtp", anSmtpPlan, aRotatedSmtp),
      redeploy: twoWays(
        "redeploy",
        { dryRun: true, would: "run systemctl" },
        { redeployed: true, healthy: true, seconds: 12.3 },
      ),
      restore: {
        ...program((job, request: RestoreRequest) => steps.restoreDump(job, optionsOf(request)), verdictOrPlan),
        ...(restore.prepare ? { prepare: restore.prepare } : {}),
      },
    },
  };
};

/** A stream that keeps what is written to it. */
export const memorySink = (shape: Omit<Sink, "write"> = {}): Sink & { readonly text: () => string } => {
  let written = "";
  return {
    ...shape,
    write: (text) => {
      written += text;
    },
    text: () => written,
  };
};

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process with streams and operations in memory. */
export const runInMemory = async (
  argv: readonly string[],
  operations: Operations = memoryOperations(),
  changes: Partial<Surroundings> = {},
): Promise<Run> => {
  const stdout = memorySink();
  const stderr = memorySink();
  const exitCode = await runProgram({
    argv,
    cwd: "/nonexistent",
    environment: {},
    stdout,
    stderr,
    version: "1.2.3",
    now: () => new Date(takenAt),
    signal: new AbortController().signal,
    openOperations: async () => operations,
    openControlPlane: () => Promise.reject(new Error("not needed")),
    ...changes,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
};
