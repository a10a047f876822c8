import type { Config, Installation } from "@openemr-ops/core/config/settings";
import type { JobLedger, JobListener } from "@openemr-ops/core/jobs";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { InputOf, JobKind, LockingInput } from "@openemr-ops/events/jobKinds";
import type { Outcome } from "@openemr-ops/jobs/runJob";

/** What a job works with: its installation and its surroundings. */
export interface Place {
  readonly config: Config;
  readonly installation: Installation;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** Aborted when the work shall stop. */
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  /** A line of the output of a program that the configuration attaches to a job; not set, it is left out. */
  readonly note?: (line: string) => void;
  /** Get the records of jobs that no workflow runs, beside those whom the configuration notifies. */
  readonly listeners?: readonly JobListener[];
  /** Earlier jobs as the control plane knows them; not set, those of the state directory. */
  readonly history?: Pick<JobLedger, "list">;
}

/** Where files that an input names are read. */
export interface InputSurroundings {
  /** Where relative names start. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Does the work of one kind of job. It knows no records, locks or workflows. `Request`: the input, in which the content
 * of files replaces their names.
 */
export interface Program<Kind extends JobKind, Plan, Result, Request extends LockingInput = InputOf<Kind>> {
  /** Reads what the input names; not set, the request is the input. @throws {InvalidInputError} */
  prepare?(input: InputOf<Kind>, surroundings: InputSurroundings): Promise<Request>;
  /** Shows what `run` would do; changes nothing. */
  plan(place: Place, request: Request): Promise<Outcome<Plan>>;
  run(place: Place, request: Request): Promise<Outcome<Result>>;
}

/** A program of which only the kind is known: `prepare` answers what the others take. */
export interface AnyProgram {
  prepare?(input: never, surroundings: InputSurroundings): Promise<LockingInput>;
  plan(place: Place, request: never): Promise<Outcome<unknown>>;
  run(place: Place, request: never): Promise<Outcome<unknown>>;
}
