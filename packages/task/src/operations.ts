import type { Config, InstallationWith, OpenEmrConnection } from "@openemr-ops/core/config/settings";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { DestinationFinding } from "@openemr-ops/dumps/checkDestination";
import type { RetentionResult } from "@openemr-ops/dumps/steps/applyRetention";
import type { CheckResult } from "@openemr-ops/dumps/steps/checkDumps";
import type { ListedDump } from "@openemr-ops/dumps/steps/listDumps";
import type { RestorePlan } from "@openemr-ops/dumps/steps/restoreDump";
import type { DumpPlan, DumpResult } from "@openemr-ops/dumps/steps/takeDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { Platform } from "@openemr-ops/openemr/prepareSites";
import type { WorkflowStores } from "./workflow/stores.ts";

/** What every operation is told: on what, how careful, and whom to tell meanwhile. */
export interface Job {
  readonly config: Config;
  readonly installation: InstallationWith<"dumps">;
  /** Read and report only; change nothing. */
  readonly dryRun: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when someone asks the program to stop. */
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  /** Records and locks of the workflow that runs the job; not set, the program keeps its own. */
  readonly stores?: WorkflowStores;
}

export interface RestoreRequest {
  /** `latest` or a dump's identifier. */
  readonly dump: string;
  /** A schema that does not exist yet. */
  readonly intoDatabase?: string;
  /** Absolute directory that is absent or empty. */
  readonly intoSites?: string;
  /** Replace the live schema and tree; excludes the two above. */
  readonly inPlace: boolean;
  /** The code at the target is newer and will upgrade the data. */
  readonly upgrade: boolean;
  /** Make the restored tree ready for this platform; not set, it stays as it was dumped. */
  readonly platform?: Platform;
  /** What the restored OpenEMR logs in with; not set, the installation's own. */
  readonly connection?: OpenEmrConnection;
}

/** What a drill would restore; nothing was written. */
export interface DrillPlan {
  readonly dryRun: true;
  readonly dumpId: string;
  readonly takenAt: string;
  readonly tables: number;
  readonly rows: number;
  readonly databaseBytes: number;
  readonly files: number;
  readonly filesBytes: number;
}

/** How a dump gets into Cloud SQL. Nothing was written: the service loads it when a person gives the command. */
export interface CloudSqlPlan {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly command: string;
}

/** All that the programs can do. Errors are those of `@openemr-ops/core/errors`. */
export interface Operations {
  takeDump(job: Job, options: { readonly forceNewRepository: boolean }): Promise<DumpResult | DumpPlan>;
  /** Newest first. */
  listDumps(job: Job): Promise<readonly ListedDump[]>;
  restoreDump(job: Job, options: RestoreRequest): Promise<Verdict | RestorePlan>;
  planCloudSql(job: Job, options: { readonly dump: string; readonly intoDatabase: string }): Promise<CloudSqlPlan>;
  drillDump(job: Job, options: { readonly dump: string }): Promise<Verdict | DrillPlan>;
  checkDumps(
    job: Job,
    options: { readonly level: CheckResult["level"]; readonly share?: string },
  ): Promise<CheckResult>;
  checkDestination(job: Job): Promise<readonly DestinationFinding[]>;
  applyRetention(job: Job): Promise<RetentionResult>;
}
