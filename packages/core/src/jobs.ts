import type { OnceTopic } from "./partitions.ts";

export type JobStatus = "requested" | "running" | "succeeded" | "failed" | "aborted";

/** Something that a job got to. */
export interface JobStep {
  /** In words an operator would use: `database`, `sites`, `confirmed`. */
  readonly name: string;
  /** Who noted it. Records of earlier releases do not have it. */
  readonly by?: "workflow" | "function" | "container";
  /** ISO 8601 UTC. */
  readonly at: string;
  /** Bytes, rows, files so far: numbers only. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** A step as it is noted today. */
export type NotedStep = JobStep & Required<Pick<JobStep, "by">>;

/** How a job came to its end. */
export interface JobEnding {
  readonly status: "succeeded" | "failed" | "aborted";
  /** ISO 8601 UTC. */
  readonly endedAt: string;
  /** Bytes, rows, files, seconds: numbers only. */
  readonly figures?: Readonly<Record<string, number>>;
  /** Identifiers of the result, such as `dumpId`. */
  readonly result?: Readonly<Record<string, string>>;
  /** Name and message of the error that ended it. */
  readonly error?: { readonly name: string; readonly message: string };
}

/** Our record of one run of one workflow on one installation. Holds no secret and no patient data. */
export interface JobRecord extends Partial<Omit<JobEnding, "status">> {
  /** The name of the Step Functions execution; a ULID where we chose it. */
  readonly jobId: string;
  /** One of `events/jobKinds.ts`, perhaps of another release. */
  readonly kind: string;
  readonly installation: string;
  readonly status: JobStatus;
  readonly dryRun: boolean;
  /** ISO 8601 UTC. */
  readonly requestedAt: string;
  readonly startedAt?: string;
  /** What was asked for, as checked. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** ARN of the execution. */
  readonly execution?: string;
  /** In order. The last one of a name replaces the one before. */
  readonly steps?: readonly JobStep[];
}

/**
 * Gets a job's record when the job starts and when it has ended. It never throws, and does not keep the job waiting for
 * what is done about its start.
 */
export type JobListener = (record: JobRecord) => Promise<void>;

/** The problem of the hook that ran after a job's work; `undefined` when there was none. The work is complete all the same. */
export const hookProblem = ({ status, result }: JobRecord): string | undefined =>
  status === "succeeded" ? result?.afterHook : undefined;

/** What is known of earlier jobs. */
export interface JobHistory {
  /** Newest first. */
  list(installation: string, limit?: number): Promise<readonly JobRecord[]>;
}

/** Keeps the records of jobs that one program runs. Implementations pass `test/contract/jobs.ts`. */
export interface JobStore extends JobHistory {
  /** Inserts or replaces the record with this `jobId`. */
  save(record: JobRecord): Promise<void>;
  get(jobId: string): Promise<JobRecord | undefined>;
}

/** Which of an installation's jobs: all that agree with what is set. */
export interface JobFilter {
  readonly kind?: string;
  readonly status?: JobStatus;
  readonly dryRun?: boolean;
  readonly requestedBefore?: Date;
}

/** Which job: two installations may have jobs of one name. */
export interface JobKey {
  readonly installation: string;
  readonly jobId: string;
}

/** What is done once: `key` tells it from others of its topic and installation. */
export interface OnceKey {
  readonly topic: OnceTopic;
  readonly installation: string;
  readonly key: string;
}

/**
 * Keeps the records of jobs that several programs work on, any of which may run twice or die. Implementations pass
 * `test/contract/jobLedger.ts`. All methods throw {ControlPlaneUnavailableError} (retryable) when the ledger does not answer.
 *
 * A record is written by who may `create` and `end`. Who may only `note` writes beside it and cannot change it.
 */
export interface JobLedger {
  get(job: JobKey): Promise<JobRecord | undefined>;
  /** Newest first. A job that has not ended is listed as it was created: only `get` knows how it goes. */
  list(installation: string, limit?: number, which?: JobFilter): Promise<readonly JobRecord[]>;
  /** Inserts the record unless one of its installation with its `jobId` is there. `created`: whether it was this call. */
  create(record: JobRecord): Promise<{ readonly record: JobRecord; readonly created: boolean }>;
  /**
   * Adds a step, or replaces the last of its name, and makes a requested job a running one that started at the step's
   * moment. Does nothing once the job has ended, or when there is no such job.
   */
  note(job: JobKey, step: NotedStep): Promise<void>;
  /**
   * Ends a job, once: a later ending changes nothing. Every caller gets the record with the ending that counts, and
   * publishes it under one key of `once`; nothing when there is no such job.
   */
  end(job: JobKey, ending: JobEnding): Promise<JobRecord | undefined>;
  /**
   * Does `act` once for each key, for as long as records are kept: true for the caller whose `act` came to its end, false
   * for who comes after it. An `act` that throws leaves the key as it was, and so does a caller that dies, after a minute.
   *
   * @throws {ControlPlaneUnavailableError} retryable: another caller is at it, and has been for less than a minute
   * @throws what `act` throws
   */
  once(what: OnceKey, act: () => Promise<void>): Promise<boolean>;
}
