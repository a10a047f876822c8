import { systemCodeOf, systemFailureOf } from "./systemErrors.ts";
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
/** A precondition is not met; nothing was changed. */
export abstract class RefusedError extends FatalError {}
/** Stored or restored data differ from what was written. */
export abstract class DamagedError extends FatalError {}

/** One wrong field of a configuration, an event or the command line. */
export interface InputIssue {
  /** Dotted path of the field, such as `installations[0].database.port`; empty for the whole input. */
  readonly path: string;
  /** What is wrong and what was expected. Never a secret's value. */
  readonly message: string;
}

/** The input breaks its contract; nothing was changed. */
export class InvalidInputError extends FatalError {
  override readonly name = "InvalidInputError";
  readonly issues: readonly InputIssue[];
  constructor(issues: readonly InputIssue[], options?: ErrorOptions) {
    super(issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "), options);
    this.issues = issues;
  }
}

// Destinations
/** The store limits the request rate. */
export class DestinationThrottledError extends RetryableError {
  override readonly name = "DestinationThrottledError";
}
/** The store does not answer, or reports an internal fault. */
export class DestinationUnavailableError extends RetryableError {
  override readonly name = "DestinationUnavailableError";
}
/** The store refuses our credentials, or we lack the right for this request. */
export class DestinationAccessDeniedError extends FatalError {
  override readonly name = "DestinationAccessDeniedError";
}
/** The bucket or directory does not exist, or a repository that contained dumps no longer exists. */
export class DestinationMissingError extends FatalError {
  override readonly name = "DestinationMissingError";
}
/** The store is in a place where the data of this installation may not go. */
export class ResidencyError extends RefusedError {
  override readonly name = "ResidencyError";
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
/** The database server does not answer, or the connection broke. */
export class DatabaseUnavailableError extends RetryableError {
  override readonly name = "DatabaseUnavailableError";
}
/** The database's host name leads to several servers, and a dump's connections met more than one. */
export class DatabaseServersDifferError extends RetryableError {
  override readonly name = "DatabaseServersDifferError";
}
/** The server refuses the user, its password, or a right that the job needs. */
export class DatabaseAccessDeniedError extends FatalError {
  override readonly name = "DatabaseAccessDeniedError";
}
/** The schema named in the configuration does not exist. */
export class DatabaseMissingError extends FatalError {
  override readonly name = "DatabaseMissingError";
}
/** The server refuses a statement for another reason. */
export class DatabaseFailedError extends FatalError {
  override readonly name = "DatabaseFailedError";
}
/** A database user that the program may not change: OpenEMR's, the administrator's, or one with another password than the stored. */
export class DatabaseUserNotOursError extends RefusedError {
  override readonly name = "DatabaseUserNotOursError";
}
/** Another session locks a table for longer than the dump waits. */
export class TableLockedError extends RetryableError {
  override readonly name = "TableLockedError";
}
/** The dump program failed, or its output has no end marker. */
export class DatabaseDumpFailedError extends FatalError {
  override readonly name = "DatabaseDumpFailedError";
}
/** A file of the sites tree cannot be read. */
export class SourceUnreadableError extends FatalError {
  override readonly name = "SourceUnreadableError";
}
/** Encrypted documents do not open with the keys of their site, and an export was to leave them decrypted. */
export class DocumentsUndecryptableError extends FatalError {
  override readonly name = "DocumentsUndecryptableError";
}
/** A path or a name that a dump cannot contain exactly. */
export class SourceLayoutError extends RefusedError {
  override readonly name = "SourceLayoutError";
}
/** A `sqlconf.php` computes its values, or cannot be read and rewritten without running it. */
export class SqlconfError extends FatalError {
  override readonly name = "SqlconfError";
}

// Health
/** One look at an installation, and its result. */
export interface HealthCheck {
  readonly name: string;
  /** Nothing is known to be wrong: only a check that failed makes an installation unhealthy. */
  readonly ok: boolean;
  /** `unknown`: it could not be looked at from here. */
  readonly status: "ok" | "warning" | "failed" | "unknown";
  /** What is, in words. No secret, nothing of a patient. */
  readonly detail: string;
  /** What to do about it. */
  readonly next?: string;
}

/** OpenEMR does not work, or is about to stop working; the message names the checks that failed. */
export class InstallationUnhealthyError extends FatalError {
  override readonly name = "InstallationUnhealthyError";
  /** All that were made, those that passed too. */
  readonly checks: readonly HealthCheck[];
  constructor(message: string, checks: readonly HealthCheck[], options?: ErrorOptions) {
    super(message, options);
    this.checks = checks;
  }
}

// Redeployments
/** The deployment failed, or the restart command did. */
export class DeploymentFailedError extends FatalError {
  override readonly name = "DeploymentFailedError";
}
/** The container service went back to the deployment before, or another one took its place. */
export class DeploymentRolledBackError extends FatalError {
  override readonly name = "DeploymentRolledBackError";
}
/** The deployment neither ended nor failed in its time. */
export class DeploymentStuckError extends FatalError {
  override readonly name = "DeploymentStuckError";
}
/** The service is set to run no task, so that nothing can be deployed or proven. */
export class ServiceScaledToZeroError extends RefusedError {
  override readonly name = "ServiceScaledToZeroError";
}

// Jobs
/** Another job holds the lock of the installation. */
export class InstallationBusyError extends RetryableError {
  override readonly name = "InstallationBusyError";
}
/** A program that the job needs is not installed or too old. */
export class ToolMissingError extends RefusedError {
  override readonly name = "ToolMissingError";
}
/** A child program failed for an unknown reason. */
export class ToolFailedError extends FatalError {
  override readonly name = "ToolFailedError";
}
/** No space left on a local disk that the job writes to. */
export class DiskFullError extends FatalError {
  override readonly name = "DiskFullError";
}
/** This machine refuses or fails at something that the job needs: a directory, memory, open files, a local disk. */
export class LocalSystemError extends FatalError {
  override readonly name = "LocalSystemError";
}
/** The container service did not start the task: no capacity, a missing right or image. */
export class TaskNotStartedError extends RetryableError {
  override readonly name = "TaskNotStartedError";
}
/** The task stopped without reporting a result. */
export class TaskStoppedError extends RetryableError {
  override readonly name = "TaskStoppedError";
}
/** The task sent no heartbeat within its time limit. */
export class TaskLostError extends RetryableError {
  override readonly name = "TaskLostError";
}
/** The workflow, or one of its steps, ran longer than its time limit. */
export class JobTimeoutError extends FatalError {
  override readonly name = "JobTimeoutError";
}
/** A service of the control plane (records, events, notifications) does not answer. */
export class ControlPlaneUnavailableError extends RetryableError {
  override readonly name = "ControlPlaneUnavailableError";
}
/** Whoever notifies people refuses a message: token, channel, webhook, address. This does not affect the job. */
export class NotificationRefusedError extends FatalError {
  override readonly name = "NotificationRefusedError";
  /** The chat's own word for it, such as `not_in_channel`. */
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
/** A server that notifies people does not answer, or asks to wait for too long. This does not affect the job. */
export class NotificationUnavailableError extends RetryableError {
  override readonly name = "NotificationUnavailableError";
}
/** A program that the configuration attaches to a job failed or took too long; the message names the setting. */
export class HookFailedError extends FatalError {
  override readonly name = "HookFailedError";
}
/** AWS refuses our credentials, or a right that the control plane needs. */
export class ControlPlaneAccessDeniedError extends FatalError {
  override readonly name = "ControlPlaneAccessDeniedError";
}
/** A part of the control plane does not exist: wrong stage, account or region, or nothing is deployed. */
export class ControlPlaneMissingError extends FatalError {
  override readonly name = "ControlPlaneMissingError";
}
/** A value of the deployed OpenEMR stack is missing; the message names it. */
export class DiscoveryError extends RefusedError {
  override readonly name = "DiscoveryError";
}
/** A person or the system stopped the job. */
export class JobAbortedError extends FatalError {
  override readonly name = "JobAbortedError";
}

// Secrets
/** The secret store does not answer, or limits the request rate. */
export class SecretStoreUnavailableError extends RetryableError {
  override readonly name = "SecretStoreUnavailableError";
}
/** The secret does not exist, is refused, or contains no password. */
export class SecretUnreadableError extends FatalError {
  override readonly name = "SecretUnreadableError";
}

// Rotations
/** The text of a secret with credentials is not what it has to be; the message names the field and never a value. */
export class CredentialSecretError extends FatalError {
  override readonly name = "CredentialSecretError";
}
/** No password that is written down logs in; the message names the one to store. */
export class CredentialDriftError extends FatalError {
  override readonly name = "CredentialDriftError";
}
/** A site of OpenEMR cannot log in to its database, or not read and write there. */
export class SiteLoginError extends FatalError {
  override readonly name = "SiteLoginError";
}
/** A rule of the server or of OpenEMR refuses the new password; the message names the rule. */
export class PasswordPolicyError extends RefusedError {
  override readonly name = "PasswordPolicyError";
}
/** A credential cannot be rotated here and now; nothing was changed. */
export class RotationRefusedError extends RefusedError {
  override readonly name = "RotationRefusedError";
}

// Restore
/** No complete dump has this identifier. */
export class DumpNotFoundError extends RefusedError {
  override readonly name = "DumpNotFoundError";
}
/** The newest dump is older than the check allows, or there is none. */
export class DumpTooOldError extends FatalError {
  override readonly name = "DumpTooOldError";
}
/** The target schema or directory is not empty. */
export class TargetNotEmptyError extends RefusedError {
  override readonly name = "TargetNotEmptyError";
}
/** Replacing the live system must be requested explicitly. */
export class InPlaceNotAllowedError extends RefusedError {
  override readonly name = "InPlaceNotAllowedError";
}
/** OpenEMR still answers, or still has connections to the schema. */
export class ServiceRunningError extends RefusedError {
  override readonly name = "ServiceRunningError";
}
/** The OpenEMR version at the target is older than the dump's. */
export class OlderVersionError extends RefusedError {
  override readonly name = "OlderVersionError";
}
/** The target server cannot store the dump: limits, collations. */
export class TargetUnsuitableError extends RefusedError {
  override readonly name = "TargetUnsuitableError";
}
/** Loading the dump into the target failed; the same command continues it. */
export class LoadFailedError extends FatalError {
  override readonly name = "LoadFailedError";
}

// Integrity
/** Bytes at the destination differ from the bytes that were written. */
export class IntegrityError extends DamagedError {
  override readonly name = "IntegrityError";
}
/** Drive keys, `keys` rows or the OAuth set do not match. */
export class KeyPairError extends DamagedError {
  override readonly name = "KeyPairError";
}
/** Restored rows or files differ from the dump. */
export class RestoredDataDiffersError extends DamagedError {
  override readonly name = "RestoredDataDiffersError";
}

// Mail
/** The SMTP server refuses user and password; the message names the user. */
export class MailLoginRefusedError extends FatalError {
  override readonly name = "MailLoginRefusedError";
}
/** The SMTP server cannot be reached over TLS, or asks for patience. */
export class MailServerUnavailableError extends RetryableError {
  override readonly name = "MailServerUnavailableError";
}
/** The SMTP server refuses the sender, the recipient or the message. */
export class MailRejectedError extends FatalError {
  override readonly name = "MailRejectedError";
}
/** IAM refuses to list, make, change or delete an access key of the SMTP user. */
export class AccessKeyError extends FatalError {
  override readonly name = "AccessKeyError";
}
/** OpenEMR's mail queue has failures since the credentials changed; the former access key is kept, inactive. */
export class MailQueueFailingError extends FatalError {
  override readonly name = "MailQueueFailingError";
}
/** A received message that is not in the archive, is encrypted there, or has no header that can be read. */
export class MailUnreadableError extends FatalError {
  override readonly name = "MailUnreadableError";
}
/** A received message was forwarded by us before, or has passed too many servers. */
export class MailLoopError extends FatalError {
  override readonly name = "MailLoopError";
}
/** A message is larger than SES sends. */
export class MailTooLargeError extends FatalError {
  override readonly name = "MailTooLargeError";
}
/** No route of the configuration takes a received message. */
export class MailRouteError extends FatalError {
  override readonly name = "MailRouteError";
}
/** Another rule set of SES is active in the region, and only one can be. */
export class ReceiptRuleConflictError extends RefusedError {
  override readonly name = "ReceiptRuleConflictError";
}

/** An unknown error: treat it as a defect of this program. */
export class UnexpectedError extends FatalError {
  override readonly name = "UnexpectedError";
}

/** What a workflow may retry, by name. */
export const retryableErrorNames: readonly string[] = Object.keys({
  ControlPlaneUnavailableError,
  DatabaseServersDifferError,
  DatabaseUnavailableError,
  DestinationThrottledError,
  DestinationUnavailableError,
  InstallationBusyError,
  MailServerUnavailableError,
  SecretStoreUnavailableError,
  TableLockedError,
  TaskLostError,
  TaskNotStartedError,
  TaskStoppedError,
});

/**
 * Names a failed system call of which only this machine is known to be at fault. Without its path, which may name a patient.
 *
 * @param where the directory or file that the next step is about
 * @returns {DiskFullError | LocalSystemError}; `undefined` for what is no failed system call
 */
export const localFailure = (error: unknown, doing: string, where?: string): OpsError | undefined => {
  const code = systemCodeOf(error);
  const failure = systemFailureOf(error);
  if (failure === undefined) return undefined;
  const below = where === undefined ? "" : ` at ${where}`;
  const options = { cause: error };
  const said = `${doing}${below} failed (${code})`;
  switch (failure) {
    case "space":
      return new DiskFullError(`${said}: no space or no quota left on this machine; free some`, options);
    case "limit":
      return new LocalSystemError(`${said}: a limit of this machine is reached; raise it, or run less beside`, options);
    case "refused":
      return new LocalSystemError(`${said}: give this program's user the right to read and write there`, options);
    case "place":
      return new LocalSystemError(`${said}: something is absent, or another kind of file is in its place`, options);
    case "network":
      return new LocalSystemError(`${said}: look whether this machine's network works`, options);
    case "fault":
      return new LocalSystemError(`${said}: look whether this machine's disks and mounts work`, options);
  }
};

/** Does `work` on this machine's own disk, and names what the system refuses it. @throws what `localFailure` makes, and what `work` throws */
export const onThisMachine = async <Result>(
  doing: string,
  where: string,
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    throw localFailure(error, doing, where) ?? error;
  }
};

/** What Node throws for a system call names it; whoever called it did not say what for. */
const callOf = (error: unknown): string =>
  error instanceof Error && "syscall" in error && typeof error.syscall === "string"
    ? `the system call ${error.syscall.split(" ")[0]}`
    : "a system call";

/** Converts every failure into an `OpsError`; an unknown one becomes `UnexpectedError` with the original as its cause. */
export const toOpsError = (error: unknown): OpsError => {
  if (error instanceof OpsError) return error;
  const unforeseen = () =>
    new UnexpectedError(`unforeseen failure: ${error instanceof Error ? error.name : typeof error}`, { cause: error });
  return localFailure(error, callOf(error)) ?? unforeseen();
};

/** Exit status of a restore whose copy is proven, while this machine did not let us set owners or the like. */
export const notAllRestoredCode = 7;

/** Exit status of a dump that is complete, while a copy of it failed. */
export const notAllCopiedCode = 8;

/** Exit status of a program that ends with this error: 2 bad input, 3 refused, 4 failed, 5 busy, 6 damaged. */
export const exitCodeOf = (error: OpsError): number => {
  if (error instanceof InvalidInputError) return 2;
  if (error instanceof RefusedError) return 3;
  if (error instanceof InstallationBusyError) return 5;
  if (error instanceof DamagedError) return 6;
  return 4;
};
