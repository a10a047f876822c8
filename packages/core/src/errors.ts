import { visible } from "./visible.ts";
export interface OpsErrorOptions extends ErrorOptions {
  /** Field of the input that the next step sets, such as `forceNewRepository`. A program adds how it is set there. */
  readonly field?: string;
}

/** Every failure that this product names. Step Functions and scripts match on `name`, so a name is a contract. */
export abstract class OpsError extends Error {
  abstract override readonly name: string; // written out in each class: a minifier renames classes, not strings
  readonly field: string | undefined;
  /** @param message may hold names of files, sites and tables: a message is one line that does nothing but show. */
  constructor(message: string, options?: OpsErrorOptions) {
    super(visible(message), options);
    this.field = options?.field;
  }
}
/** The same call can succeed later without anyone acting. */
export abstract class RetryableError extends OpsError {}
/** A person or a deployment has to act first. */
export abstract class FatalError extends OpsError {}
/** A precondition does not hold; nothing was changed. */
export abstract class RefusedError extends FatalError {}
/** What is stored, or what came back, is not what was written. */
export abstract class DamagedError extends FatalError {}

/** One wrong field of a configuration, an event or the command line. */
export interface InputIssue {
  /** Dotted path of the field, such as `installations[0].database.port`; empty for the whole input. */
  readonly path: string;
  /** What is wrong and what was expected. Never a secret's value. */
  readonly message: string;
}

/** The input breaks its contract; nothing was touched. */
export class InvalidInputError extends FatalError {
  override readonly name = "InvalidInputError";
  readonly issues: readonly InputIssue[];
  constructor(issues: readonly InputIssue[], options?: ErrorOptions) {
    super(issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "), options);
    this.issues = issues;
  }
}

// Destinations
/** The store answers "slow down". */
export class DestinationThrottledError extends RetryableError {
  override readonly name = "DestinationThrottledError";
}
/** The store does not answer, or answers with a fault of its own. */
export class DestinationUnavailableError extends RetryableError {
  override readonly name = "DestinationUnavailableError";
}
/** The store refuses our credentials or our right to do this. */
export class DestinationAccessDeniedError extends FatalError {
  override readonly name = "DestinationAccessDeniedError";
}
/** Bucket or directory is absent, or a repository that held dumps is gone. */
export class DestinationMissingError extends FatalError {
  override readonly name = "DestinationMissingError";
}
/** No space left, or over quota, at the destination. */
export class DestinationFullError extends FatalError {
  override readonly name = "DestinationFullError";
}
/** The repository does not open with the configured password. */
export class RepositoryPasswordError extends FatalError {
  override readonly name = "RepositoryPasswordError";
}

// The source
/** The database server does not answer, or went away half-way. */
export class DatabaseUnavailableError extends RetryableError {
  override readonly name = "DatabaseUnavailableError";
}
/** The server refuses the user, its password, or a right that the job needs. */
export class DatabaseAccessDeniedError extends FatalError {
  override readonly name = "DatabaseAccessDeniedError";
}
/** The schema named in the configuration does not exist. */
export class DatabaseMissingError extends FatalError {
  override readonly name = "DatabaseMissingError";
}
/** The server refuses a statement for a reason that has no name of its own here. */
export class DatabaseFailedError extends FatalError {
  override readonly name = "DatabaseFailedError";
}
/** Someone holds a lock on a table for longer than the dump may wait. */
export class TableLockedError extends RetryableError {
  override readonly name = "TableLockedError";
}
/** The dump program failed, or its output lacks the end mark. */
export class DatabaseDumpFailedError extends FatalError {
  override readonly name = "DatabaseDumpFailedError";
}
/** A file of the sites tree cannot be read. */
export class SourceUnreadableError extends FatalError {
  override readonly name = "SourceUnreadableError";
}
/** A path or a name that no dump could hold faithfully. */
export class SourceLayoutError extends RefusedError {
  override readonly name = "SourceLayoutError";
}
/** A `sqlconf.php` computes its values, or has another form than one we can read and rewrite without running it. */
export class SqlconfError extends FatalError {
  override readonly name = "SqlconfError";
}

// Jobs
/** Another job holds the installation's resource. */
export class InstallationBusyError extends RetryableError {
  override readonly name = "InstallationBusyError";
}
/** A program that the job needs is not installed or too old. */
export class ToolMissingError extends RefusedError {
  override readonly name = "ToolMissingError";
}
/** A child program ended in a way that we cannot tell more of. */
export class ToolFailedError extends FatalError {
  override readonly name = "ToolFailedError";
}
/** No space left on a local disk that the job writes to. */
export class DiskFullError extends FatalError {
  override readonly name = "DiskFullError";
}
/** The container service did not start the task: no capacity, no right, no image. */
export class TaskNotStartedError extends RetryableError {
  override readonly name = "TaskNotStartedError";
}
/** The task ended, or was ended, without a word. */
export class TaskStoppedError extends RetryableError {
  override readonly name = "TaskStoppedError";
}
/** The task was not heard of for longer than it may be silent. */
export class TaskLostError extends RetryableError {
  override readonly name = "TaskLostError";
}
/** The workflow, or one of its steps, took longer than it may. */
export class JobTimeoutError extends FatalError {
  override readonly name = "JobTimeoutError";
}
/** A service of the control plane itself (records, events, notifications) does not answer. */
export class ControlPlaneUnavailableError extends RetryableError {
  override readonly name = "ControlPlaneUnavailableError";
}
/** The chat that people read refuses a message: token, channel or webhook. The job itself is not touched by it. */
export class NotificationRefusedError extends FatalError {
  override readonly name = "NotificationRefusedError";
  /** The chat's own word for it, such as `not_in_channel`. */
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
/** AWS refuses our credentials, or a right that the control plane needs. */
export class ControlPlaneAccessDeniedError extends FatalError {
  override readonly name = "ControlPlaneAccessDeniedError";
}
/** A part of the control plane is not there: another stage, account or region was meant, or nothing is deployed. */
export class ControlPlaneMissingError extends FatalError {
  override readonly name = "ControlPlaneMissingError";
}
/** What a deployed OpenEMR says of itself does not suffice to work on it; the message names what is missing. */
export class DiscoveryError extends RefusedError {
  override readonly name = "DiscoveryError";
}
/** Someone asked the job to stop. */
export class JobAbortedError extends FatalError {
  override readonly name = "JobAbortedError";
}

// Secrets
/** The secret store does not answer, or answers "slow down". */
export class SecretStoreUnavailableError extends RetryableError {
  override readonly name = "SecretStoreUnavailableError";
}
/** The secret store knows no such secret, refuses it, or what it holds is no password. */
export class SecretUnreadableError extends FatalError {
  override readonly name = "SecretUnreadableError";
}

// Restore
/** No complete dump answers to that name. */
export class DumpNotFoundError extends RefusedError {
  override readonly name = "DumpNotFoundError";
}
/** The target schema or directory already holds something. */
export class TargetNotEmptyError extends RefusedError {
  override readonly name = "TargetNotEmptyError";
}
/** Restoring over the live system needs the explicit flag. */
export class InPlaceNotAllowedError extends RefusedError {
  override readonly name = "InPlaceNotAllowedError";
}
/** OpenEMR still answers, or still holds connections to the schema. */
export class ServiceRunningError extends RefusedError {
  override readonly name = "ServiceRunningError";
}
/** The code at the target is older than the dump. */
export class OlderVersionError extends RefusedError {
  override readonly name = "OlderVersionError";
}
/** The target server cannot hold the dump: limits, collations. */
export class TargetUnsuitableError extends RefusedError {
  override readonly name = "TargetUnsuitableError";
}
/** Loading the dump into the target failed; the same command resumes it. */
export class LoadFailedError extends FatalError {
  override readonly name = "LoadFailedError";
}

// Integrity
/** Bytes at the destination are not the bytes that were written. */
export class IntegrityError extends DamagedError {
  override readonly name = "IntegrityError";
}
/** Drive keys, `keys` rows or the OAuth set do not fit together. */
export class KeyPairError extends DamagedError {
  override readonly name = "KeyPairError";
}
/** Restored rows or files are not those of the dump. */
export class RestoredDataDiffersError extends DamagedError {
  override readonly name = "RestoredDataDiffersError";
}

/** Not foreseen: a defect of ours until proven otherwise. */
export class UnexpectedError extends FatalError {
  override readonly name = "UnexpectedError";
}

/** What a workflow may retry, by name. */
export const retryableErrorNames: readonly string[] = Object.keys({
  ControlPlaneUnavailableError,
  DatabaseUnavailableError,
  DestinationThrottledError,
  DestinationUnavailableError,
  InstallationBusyError,
  SecretStoreUnavailableError,
  TableLockedError,
  TaskLostError,
  TaskNotStartedError,
  TaskStoppedError,
});

/** Gives every failure a name; what nobody foresaw becomes `UnexpectedError` with the original as its cause. */
export const toOpsError = (error: unknown): OpsError =>
  error instanceof OpsError
    ? error
    : new UnexpectedError(`unforeseen failure: ${error instanceof Error ? error.name : typeof error}`, {
        cause: error,
      });

/** Exit status of a program that ends with this error: 2 bad input, 3 refused, 4 failed, 5 busy, 6 damaged. */
export const exitCodeOf = (error: OpsError): number => {
  if (error instanceof InvalidInputError) return 2;
  if (error instanceof RefusedError) return 3;
  if (error instanceof InstallationBusyError) return 5;
  if (error instanceof DamagedError) return 6;
  return 4;
};
