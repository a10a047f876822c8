import type { SectionName } from "@openemr-ops/core/config/settings";
import { namesOf } from "@openemr-ops/core/names";
import type * as z from "zod";
import { type CheckInput, checkInput } from "./inputs/check.ts";
import { type AtCopy, plainInput } from "./inputs/common.ts";
import { type CopyInput, copyInput } from "./inputs/copy.ts";
import { drillInput } from "./inputs/drill.ts";
import { dumpInput } from "./inputs/dump.ts";
import { exportDatabaseInput } from "./inputs/exportDatabase.ts";
import { type RestoreInput, restoreInput } from "./inputs/restore.ts";
import { retentionInput } from "./inputs/retention.ts";
import { rotateDatabaseInput } from "./inputs/rotateDatabase.ts";
import { rotateSmtpInput } from "./inputs/rotateSmtp.ts";

/**
 * What a job may hold of an installation, in the one order in which several are taken; see `docs/architecture.md`.
 * `service`: the live schema and tree. `dump-repository`: what lies at the destination, and the source of the next dump;
 * `dump-copy-…`: what lies at each copy, or at the place that a person copies to. `export-…`: one half of what lies at the
 * destination of exports.
 */
export const lockOrder = [
  "credentials",
  "service",
  "dump-repository",
  "dump-copy-1",
  "dump-copy-2",
  "dump-copy-3",
  "dump-copy-to",
  "drill",
  "export-database",
  "export-sites",
] as const;
export type LockedResource = (typeof lockOrder)[number];

/** The lock of the store that a job works on. Copies have their own: dumps do not wait until one is copied. */
const storeLock = ({ copy }: AtCopy): LockedResource =>
  lockOrder.find((resource) => resource === `dump-copy-${copy}`) ?? "dump-repository";

interface JobKindDefinition {
  /** Its workflow's name in the console; absent where another kind's workflow runs it. */
  readonly workflow?: string;
  /** What people read in messages. */
  readonly noun: string;
  /** Without this section of its configuration an installation has no such job. */
  readonly section: SectionName;
  /** Whether a schedule may start it; anything else is a person's decision. */
  readonly scheduled: boolean;
  /** It runs often: people are notified only when it fails or is overdue. */
  readonly quiet?: true;
  /** What it holds from its first step to its last, unless it is a dry run. */
  readonly locks: (input: never) => readonly LockedResource[];
  readonly input: z.ZodType<{ readonly dryRun: boolean }>;
}

/** Every kind of job, and all that differs between them for those who do not run them. The only such list. */
export const jobKinds = {
  dump: {
    workflow: "DumpInstallation",
    noun: "Dump",
    section: "dumps",
    scheduled: true,
    locks: () => ["dump-repository"],
    input: dumpInput,
  },
  drill: {
    workflow: "RestoreDrill",
    noun: "Restore drill",
    section: "dumps",
    scheduled: true,
    locks: () => ["drill"],
    input: drillInput,
  },
  check: {
    workflow: "CheckRepository",
    noun: "Check",
    section: "dumps",
    scheduled: true,
    // It removes dead locks, and restic checks a repository under an exclusive lock of its own.
    locks: ({ level, copy }: Pick<CheckInput, "level" | "copy">) => [level === "drill" ? "drill" : storeLock({ copy })],
    input: checkInput,
  },
  copy: {
    workflow: "CopyDumps",
    noun: "Dump copy",
    section: "dumps",
    scheduled: false, // the workflow of a dump starts it
    // A copy by hand to another place keeps no copy of the configuration waiting.
    locks: ({ copy, to }: Pick<CopyInput, "copy"> & { readonly to?: string }) => [
      to === undefined ? storeLock({ copy }) : "dump-copy-to",
    ],
    input: copyInput,
  },
  retention: {
    noun: "Retention",
    section: "dumps",
    scheduled: false,
    locks: (input: AtCopy) => [storeLock(input)],
    input: retentionInput,
  },
  restore: {
    workflow: "RestoreInstallation",
    noun: "Restore",
    section: "dumps",
    scheduled: false,
    // In place it takes a safety dump, and a dump taken meanwhile would be half of the one and half of the other.
    locks: ({ inPlace, copy }: Pick<RestoreInput, "inPlace" | "copy">) =>
      inPlace ? ["service", "dump-repository", storeLock({ copy })] : ["service"],
    input: restoreInput,
  },
  health: {
    workflow: "CheckHealth",
    noun: "Health check",
    section: "health",
    scheduled: true,
    quiet: true,
    locks: () => [], // it only looks, at what is live
    input: plainInput("health"),
  },
  report: {
    workflow: "ReportInstallation",
    noun: "Report",
    section: "dumps",
    scheduled: true,
    locks: () => [], // it reads what others write, and stores a page that nothing else reads
    input: plainInput("report"),
  },
  users: {
    workflow: "PrepareDatabaseUsers",
    noun: "Preparation of database users",
    section: "users",
    scheduled: false,
    locks: () => ["credentials"],
    input: plainInput("users"),
  },
  exportDatabase: {
    workflow: "ExportDatabase",
    noun: "Database export",
    section: "exports",
    scheduled: true,
    locks: () => ["export-database"], // it reads in one transaction: a dump may run beside it
    input: exportDatabaseInput,
  },
  exportSites: {
    workflow: "ExportSites",
    noun: "Sites export",
    section: "exports",
    scheduled: true,
    locks: () => ["export-sites"],
    input: plainInput("exportSites"),
  },
  rotateDatabase: {
    workflow: "RotateDatabaseCredential",
    noun: "Rotation of the database user",
    section: "rotations",
    scheduled: true,
    locks: () => ["credentials", "service"], // it deploys OpenEMR anew
    input: rotateDatabaseInput,
  },
  rotateAdmin: {
    workflow: "RotateAdminPassword",
    noun: "Rotation of the administrator",
    section: "rotations",
    scheduled: true,
    locks: () => ["credentials"],
    input: plainInput("rotateAdmin"),
  },
  rotateMaster: {
    workflow: "RotateMasterCredential",
    noun: "Rotation of the master user",
    section: "rotations",
    scheduled: true,
    locks: () => ["credentials"],
    input: plainInput("rotateMaster"),
  },
  rotateSmtp: {
    workflow: "RotateSmtpCredential",
    noun: "Rotation of the SMTP credentials",
    section: "rotations",
    scheduled: true,
    locks: () => ["credentials"], // OpenEMR reads them anew with each request
    input: rotateSmtpInput,
  },
  redeploy: {
    workflow: "RedeployService",
    noun: "Redeployment",
    section: "rotations",
    scheduled: true,
    locks: () => ["service"],
    input: plainInput("redeploy"),
  },
} as const satisfies Readonly<Record<string, JobKindDefinition>>;

type Kinds = typeof jobKinds;
export type JobKind = keyof Kinds;

type KindsWith<Part> = { [Kind in JobKind]: Kinds[Kind] extends Part ? Kind : never }[JobKind];
/** A kind that a control plane runs as a workflow. */
export type WorkflowKind = KindsWith<{ readonly workflow: string }>;
/** A kind that a schedule may start. */
export type ScheduledKind = KindsWith<{ readonly workflow: string; readonly scheduled: true }>;

/** A workflow of installations that have this section of their configuration. */
export type WorkflowOfSection<Section extends SectionName> = WorkflowKind & KindsWith<{ readonly section: Section }>;

/** What a job of this kind is asked to do, checked. */
export type InputOf<Kind extends JobKind> = z.output<Kinds[Kind]["input"]>;
export type JobInput = { [Kind in JobKind]: InputOf<Kind> }[JobKind];

const definitions: Readonly<Record<JobKind, JobKindDefinition>> = jobKinds;
export const kindNames = Object.keys(jobKinds) as readonly JobKind[];

export const isWorkflowKind = (kind: JobKind): kind is WorkflowKind => definitions[kind].workflow !== undefined;
export const isQuietKind = (kind: JobKind): boolean => definitions[kind].quiet === true;
const isScheduledKind = (kind: JobKind): kind is ScheduledKind => isWorkflowKind(kind) && definitions[kind].scheduled;

export const workflowKinds = kindNames.filter(isWorkflowKind);
export const scheduledKinds = kindNames.filter(isScheduledKind);

export const workflowsOfSection = <Section extends SectionName>(section: Section) =>
  workflowKinds.filter((kind): kind is WorkflowOfSection<Section> => definitions[kind].section === section);

/** As much of a job's input as decides over its locks. */
export type LockingInput = {
  [Kind in JobKind]: { readonly kind: Kind; readonly dryRun: boolean } & (Parameters<Kinds[Kind]["locks"]> extends [
    infer Part,
  ]
    ? Part
    : unknown);
}[JobKind];

/** The locks that a job takes, all or none of them, in the order in which it takes them. A dry run takes none. */
export const locksOf = (input: LockingInput): readonly LockedResource[] => {
  const taken = input.dryRun ? [] : definitions[input.kind].locks(input as never);
  return lockOrder.filter((resource) => taken.includes(resource));
};

/** Name of the state machine that runs jobs of this kind on an installation. */
export const stateMachineOf = (stage: string, installation: string, kind: WorkflowKind): string =>
  namesOf(stage).stateMachine(installation, jobKinds[kind].workflow);

/** Source: docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html. */
const longestStateMachineName = 80;

/**
 * How long an installation's name may be that this stage deploys, for the name of each of its workflows has to fit.
 *
 * @param sections those that it has
 */
export const longestDeployedId = (stage: string, sections: readonly SectionName[]): number => {
  const kinds = workflowKinds.filter((kind) => sections.includes(jobKinds[kind].section));
  const taken = Math.max(...kinds.map((kind) => stateMachineOf(stage, "", kind).length));
  return Math.min(32, longestStateMachineName - taken);
};
