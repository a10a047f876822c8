/** Everything that the doctor looks at, in the order of its report. `docs/doctor.md` has a row for each. */
export const checkNames = [
  "configuration",
  "secret-files",
  "state-directory",
  "notifications",
  "metrics-file",
  "tools",
  "sites",
  "sites-readable",
  "database-server",
  "dump-login",
  "restore-login",
  "drill-login",
  "export-login",
  "dump-schema",
  "dump-rights",
  "restore-rights",
  "restore-limits",
  "drill-rights",
  "secret",
  "destination",
  "repository",
  "exports-destination",
  "dump-plan",
  "keys",
  "space",
  "health",
] as const;

export type CheckName = (typeof checkNames)[number];

/** What one look found. */
export interface Sight {
  /** `problem`: a job will fail. `warning`: jobs work, and something is left open. `not tried`: another check says why. */
  readonly status: "ok" | "warning" | "problem" | "not tried";
  /** What is, in words. No secret, nothing of a patient. */
  readonly seen: string;
  /** What to do about it. */
  readonly next?: string | undefined;
  /** Where it is not the check's own field. */
  readonly field?: string | undefined;
  /** Name of the error that a job would end with, where one was met. */
  readonly error?: string | undefined;
}

/** What the doctor reports of one thing. `not tried`: it needs what another check found broken, or was left out. */
export interface DoctorFinding extends Omit<Sight, "field"> {
  readonly check: CheckName;
  /** Not set: it is about the machine or all installations. */
  readonly installation?: string | undefined;
  /** Dotted path in the configuration, as `config check` names fields; empty where no field can correct it. */
  readonly field: string;
}

export const ok = (seen: string, field?: string): Sight => ({ status: "ok", seen, field });
export const warning = (seen: string, next: string, field?: string): Sight => ({
  status: "warning",
  seen,
  next,
  field,
});
export const problem = (seen: string, next: string, field?: string): Sight => ({
  status: "problem",
  seen,
  next,
  field,
});
