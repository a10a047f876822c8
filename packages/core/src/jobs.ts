export type JobKind = "dump" | "restore" | "drill" | "check" | "retention";
export type JobStatus = "requested" | "running" | "succeeded" | "failed" | "aborted";

/** Our record of one run of one workflow on one installation. Holds no secret and no patient data. */
export interface JobRecord {
  /** ULID; the Step Functions execution carries the same name. */
  readonly jobId: string;
  readonly kind: JobKind;
  readonly installation: string;
  readonly status: JobStatus;
  readonly dryRun: boolean;
  /** ISO 8601 UTC. */
  readonly requestedAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Bytes, rows, files, seconds: numbers only. */
  readonly figures?: Readonly<Record<string, number>>;
  /** Identifiers of what came out, such as `dumpId`. */
  readonly result?: Readonly<Record<string, string>>;
  /** Name and message of the error that ended it. */
  readonly error?: { readonly name: string; readonly message: string };
}

/** Keeps job records. Implementations pass `test/contract/jobs.ts`. */
export interface JobStore {
  /** Inserts or replaces the record with this `jobId`. */
  save(record: JobRecord): Promise<void>;
  get(jobId: string): Promise<JobRecord | undefined>;
  /** Newest first. */
  list(installation: string, limit?: number): Promise<readonly JobRecord[]>;
}
