import type { RetentionPolicy } from "@openemr-ops/core/config/settings";

/** Why something could not be read. */
export interface Unread {
  readonly name: string;
  readonly message: string;
}

/** What was read, or why it could not be: an empty list is never shown for a store that did not answer. */
export type Reading<Value> = { readonly value: Value } | { readonly unread: Unread };

/**
 * What happened to a dump. `verified`: complete, and it passed a drill or a check at level `read-data`. `damaged`: at the destination, not complete.
 * `failed`: the job ended without one. `expired`: its job succeeded, and it is no longer at the destination. `unknown`: its
 * job succeeded, and the destination could not be read.
 */
export const dumpStates = ["verified", "complete", "damaged", "failed", "expired", "unknown"] as const;
export type DumpState = (typeof dumpStates)[number];

/** One dump, or one attempt to take one. Bytes, seconds; times are ISO 8601 UTC. */
export interface ReportedDump {
  /** Absent of a failed attempt. */
  readonly dumpId?: string;
  /** Of an attempt that only the records know. */
  readonly jobId?: string;
  /** T0 of a dump at the destination, else when its job started. */
  readonly at: string;
  readonly state: DumpState;
  /** The highest level that it passed, and when. */
  readonly verified?: { readonly level: string; readonly at: string };
  /** As `dumps` lists it: proven to be ours, not sealed, or `null`: not known. */
  readonly sealed?: boolean | null;
  readonly rows?: number;
  readonly files?: number;
  readonly databaseBytes?: number;
  readonly filesBytes?: number;
  /** How long it took. */
  readonly seconds?: number;
  readonly warnings?: number;
  readonly remark?: string;
}

/** What retention would do with a dump that is there. */
export interface ReportedRetention {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly action: "keep" | "delete";
  readonly reasons: readonly string[];
  /** When it would be deleted if dumps go on at their pace; absent: with the next run, or later than 400 days. */
  readonly expectedAt?: string;
}

/** A place where dumps are: the first destination, or a copy. */
export interface ReportedStore {
  /** Its number; absent: the first destination. */
  readonly copy?: number;
  readonly destination: string;
  readonly format: string;
  readonly policy: RetentionPolicy;
  /** Why the destination could not be read: `dumps` are then what the records know, and may be none. */
  readonly unread?: Unread;
  /** Newest first; at the first destination with failed and expired ones from the records, as far as the report reaches. */
  readonly dumps: readonly ReportedDump[];
  readonly retention: Reading<readonly ReportedRetention[]>;
}

export interface ReportedDrill {
  readonly jobId: string;
  readonly at: string;
  readonly status: "succeeded" | "failed" | "aborted";
  readonly dumpId?: string;
  /** Measured: rows and files were back after so many seconds. */
  readonly restoreSeconds?: number;
  readonly compareSeconds?: number;
  /** Absent where no goal is set, or nothing was measured. */
  readonly withinGoal?: boolean;
  readonly remark?: string;
}

export interface ReportedDrills {
  /** `dumps.drill.goalMinutes`, in seconds. */
  readonly goalSeconds?: number;
  /** Newest first. */
  readonly drills: readonly ReportedDrill[];
}

/** When credentials were replaced last, as far as the records reach. */
export interface ReportedCredential {
  /** Kind of the job that replaces them. */
  readonly kind: string;
  readonly noun: string;
  readonly lastSuccessAt?: string;
  readonly ageDays?: number;
  /** Of the newest job of the kind, when it did not succeed. */
  readonly lastFailure?: { readonly at: string; readonly name: string; readonly message: string };
}

export interface ReportedExport {
  readonly kind: string;
  readonly exportId: string | null;
  readonly startedAt: string;
  readonly ageDays: number;
  readonly state: "complete" | "incomplete" | "running";
  readonly profile?: string;
  readonly rows?: number;
  readonly files?: number;
  readonly bytes?: number;
  readonly remark?: string;
}

export interface ReportedSchedule {
  readonly kind: string;
  readonly noun: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly nextDueAt?: string;
  readonly lastSuccessAt?: string;
  /** The due time whose deadline passed without a success. */
  readonly overdueSince?: string;
}

/** Something for a person to look at. `failed`: something does not work, or is not protected. */
export interface OpenWarning {
  readonly severity: "failed" | "warning";
  /** What it is about, such as `dump` or `copy 1`. */
  readonly about: string;
  readonly message: string;
}

/** One installation. A part that its configuration does not have is absent. */
export interface InstallationReport {
  readonly installation: string;
  /** Whether all of it was read: every store, its records, its exports. */
  readonly complete: boolean;
  /** Worst first. */
  readonly openWarnings: readonly OpenWarning[];
  readonly stores: readonly ReportedStore[];
  readonly drills?: Reading<ReportedDrills>;
  readonly credentials?: Reading<readonly ReportedCredential[]>;
  readonly exports?: Reading<readonly ReportedExport[]>;
  readonly schedules?: Reading<readonly ReportedSchedule[]>;
}

/** The document that `report --json` prints, and that the page shows. No secret, nothing of a patient. */
export interface Report {
  readonly version: 1;
  readonly generatedAt: string;
  /** Plots, failed and expired dumps and drills reach back to here. */
  readonly since: string;
  /** Where job records were read, in words. */
  readonly records: string;
  /** Whether all of every installation was read. */
  readonly complete: boolean;
  readonly installations: readonly InstallationReport[];
}
