import type { RetentionPolicy } from "@openemr-ops/core/config/settings";
import type { JobRecord } from "@openemr-ops/core/jobs";
import type { Reading, ReportedExport, ReportedRetention, ReportedSchedule } from "./report.ts";

/** A dump as its store lists it. */
export interface SurveyedDump {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly complete: boolean;
  readonly sealed: boolean | null;
  readonly verified: { readonly level: string; readonly at: string } | null;
  readonly rows?: number;
  readonly files?: number;
  readonly databaseBytes?: number;
  readonly filesBytes?: number;
  readonly seconds?: number;
  readonly warnings?: number;
  readonly problem?: string;
}

export interface SurveyedStore {
  /** Its number; absent: the first destination. */
  readonly copy?: number;
  readonly destination: string;
  readonly format: string;
  readonly policy: RetentionPolicy;
  /** Newest first. */
  readonly dumps: Reading<readonly SurveyedDump[]>;
  readonly retention: Reading<readonly ReportedRetention[]>;
  /** Of the newest complete dump. */
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** All that was read of one installation. */
export interface Survey {
  readonly installation: string;
  /** Job records, newest first, without dry runs. */
  readonly records: Reading<readonly JobRecord[]>;
  readonly stores: readonly SurveyedStore[];
  readonly goalMinutes?: number;
  /** Kinds of jobs that replace credentials, as far as they are configured, with their nouns. */
  readonly rotations: readonly { readonly kind: string; readonly noun: string }[];
  readonly exports?: Reading<readonly Omit<ReportedExport, "ageDays">[]>;
  readonly schedules?: Reading<readonly ReportedSchedule[]>;
}
