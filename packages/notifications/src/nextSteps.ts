/** The first thing that a person does, and the page of `docs/runbooks` with the rest. */
export interface NextStep {
  /** One or two sentences in Slack's mark-up. The runbook's section of the same name begins with them. */
  readonly step: string;
  /** Name of a file in `docs/runbooks`. */
  readonly runbook: string;
}

const page = (runbook: string, steps: Readonly<Record<string, string>>): Readonly<Record<string, NextStep>> =>
  Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, { step, runbook }]));

/** By the name of an error or an alarm. A test compares it with `packages/core/src/errors.ts` and with the runbooks. */
export const nextSteps: Readonly<Record<string, NextStep>> = {
  ...page("busy.md", {
    InstallationBusyError: "Wait until the job that the message names has ended, then start this one again.",
  }),
  ...page("database.md", {
    DatabaseUnavailableError: "Check that the database server runs and can be reached, then start the job again.",
    DatabaseServersDifferError: "Set `database.host` to the endpoint of one server, then start the job again.",
    DatabaseAccessDeniedError: "Compare the dump user's password, rights and TLS with what the server expects.",
    DatabaseUserNotOursError: "Set another name for the user that the message names, or store that user's password.",
    DatabaseMissingError: "Compare `database.name` in the configuration with the schemas on the server.",
    DatabaseFailedError: "Read the server's message, and check the table that it names.",
    DatabaseDumpFailedError: "Read the dump program's message, and check the table that it names.",
    TableLockedError: "Find the session that locks the table with `SHOW PROCESSLIST`, then start the job again.",
  }),
  ...page("health.md", {
    InstallationUnhealthyError: "Open OpenEMR in a browser, then do what the message says of each check that failed.",
  }),
  ...page("rotation.md", {
    CredentialSecretError: "Correct the field of the secret that the message names, then start the job again.",
    CredentialDriftError:
      "Store the password that works in the secret that the message names, then start the job again.",
    SiteLoginError: "Log in with what the `sqlconf.php` of the site that the message names contains, and repair that.",
    PasswordPolicyError: "Change the rule on passwords that the message names, then start the job again.",
    RotationRefusedError: "Do what the message says first. Nothing was changed.",
  }),
  ...page("mail.md", {
    MailLoginRefusedError:
      "Look whether the access key that the message names is active and may send by SES. OpenEMR has the login from before the job.",
    MailServerUnavailableError:
      "Check that host and port of `rotations.smtp.server` can be reached from here, then start the job again.",
    MailRejectedError: "Verify sender and recipient of `rotations.smtp.testMessage` in SES, then start the job again.",
    AccessKeyError: "Allow what the message names on the SMTP user, or delete the access key that nobody uses.",
    MailQueueFailingError: "Read why rows of the mail queue failed. The access key before is still there, inactive.",
  }),
  ...page("inbound-mail.md", {
    MailUnreadableError: "Look at the message in the archive: it was kept, and was not forwarded.",
    MailLoopError: "Find the address that sends mail back to us, and remove it from the routes.",
    MailTooLargeError: "Fetch the message from the archive: its people got a notice with its place.",
    MailRouteError: "Add a route for the recipient that the message names, or a catch-all, then replay the message.",
    ReceiptRuleConflictError:
      "Add our rule to the rule set that is active, or deactivate that one. Nothing was changed.",
  }),
  ...page("redeploy.md", {
    DeploymentFailedError:
      "Read the events of the service, or the log of the restart command, and repair what they name.",
    DeploymentRolledBackError: "Read why the tasks of the new deployment stopped. The deployment before serves again.",
    DeploymentStuckError: "Find out what the new tasks wait for: capacity, an image, health. Then start the job again.",
    ServiceScaledToZeroError: "Set the desired count of the service to 1 or more, then start the job again.",
  }),
  ...page("source.md", {
    SourceUnreadableError: "Let the task's user read the file that the message names, then start the job again.",
    DocumentsUndecryptableError:
      "Find out from the inventory which documents do not open, and whether they are damaged or their keys are others.",
    SourceLayoutError:
      "Rename or remove the file that the message names, or change the server's setting that it names.",
    SqlconfError: "Write the values in `sqlconf.php` as plain strings, then start the job again.",
  }),
  ...page("destination.md", {
    DestinationThrottledError: "Wait 15 minutes, then start the job again.",
    DestinationUnavailableError: "Check that the task can reach the destination, then start the job again.",
    DestinationAccessDeniedError: "Compare the task's role with the policies of the bucket and of its key.",
    DestinationMissingError: "Find out what happened to the bucket or the repository before any job writes there.",
    ResidencyError: "Find out who moved the bucket, or correct `residency` in the configuration. Nothing was written.",
    DestinationFullError: "Free space at the destination, or delete old dumps, then start the job again.",
    RepositoryPasswordError: "Find the password with which the repository was created. Do not create a new repository.",
  }),
  ...page("damage.md", {
    IntegrityError: "Take a new dump now, keep the damaged one unchanged, then find out how far the damage extends.",
    KeyPairError:
      "Delete nothing: keys and rows of a site do not match. Compare the last dumps before you restore anything.",
    RestoredDataDiffersError: "Do not use the restored copy. Take a new dump, drill it, and keep both verdicts.",
  }),
  ...page("task.md", {
    TaskNotStartedError: "Read why ECS refused the task: capacity, role or image; then start the job again.",
    TaskStoppedError: "Read why the task stopped: memory, a deployment or a person; then start the job again.",
    TaskLostError: "Check whether the task still runs, read the end of its log, then start the job again.",
    JobTimeoutError: "Compare the job's duration with earlier runs, and find the step that takes longer.",
    JobAbortedError:
      "Ask the person who stopped it. Incomplete work does not count. Start the job again when they agree.",
    DiskFullError: "Give the task more ephemeral storage, or the machine more disk space, then start the job again.",
    LocalSystemError:
      "Repair what the message names on this machine: a directory, a limit or a disk. Then start the job again.",
    ToolMissingError: "Install the program that the message names, or deploy an image that contains it.",
    ToolFailedError: "Read the program's output in the message and in the task's log.",
    HookFailedError: "Read what the hook wrote to the log, and run it by hand as this program's user.",
  }),
  ...page("overdue.md", {
    DumpTooOldError: "Find out why no newer dump was taken: the log of the last job names the error. Take a dump now.",
  }),
  ...page("restore.md", {
    DumpNotFoundError: "Choose a dump from the list of complete dumps.",
    TargetNotEmptyError: "Name a schema and a directory that do not exist.",
    InPlaceNotAllowedError: "Restore beside the live system, or request explicitly to replace it.",
    ServiceRunningError: "Stop OpenEMR, all of it, then start the restore again.",
    OlderVersionError: "Deploy an OpenEMR that is as new as the dump, then start the restore again.",
    TargetUnsuitableError: "Configure on the target server what the message names: a right, a limit, a collation.",
    LoadFailedError: "Repair what the message names, then start the same restore again. It continues where it stopped.",
  }),
  ...page("configuration.md", {
    InvalidInputError: "Correct the field that the message names. Nothing was changed.",
    SecretUnreadableError: "Compare the secret's ARN and field with the configuration, and the role with its policy.",
    DiscoveryError: "Write the value that the message names into the configuration.",
  }),
  ...page("control-plane.md", {
    ControlPlaneUnavailableError: "Check whether AWS reports an outage in this region, then start the job again.",
    ControlPlaneAccessDeniedError: "Compare the caller's role with the permission that the message names.",
    ControlPlaneMissingError: "Correct stage, account and region, or deploy this stage.",
    SecretStoreUnavailableError: "Check whether Secrets Manager answers in this region, then start the job again.",
    UnexpectedError: "Open the execution and its log. Treat this as a defect of the program.",
  }),
  ...page("overdue.md", {
    JobOverdue:
      "Check whether the job is running, failed or never started. Until one succeeds, there is no new result.",
  }),
  ...page("notifications.md", {
    NotificationRefusedError: "Put a valid token or webhook into the secret, and invite the bot to its channel.",
    NotificationUnavailableError: "Check that this machine reaches the server that the message names.",
  }),
};

/** The next step for an error of this name. An unknown name is treated as `UnexpectedError`. */
export const nextStepFor = (name: string): NextStep => {
  const known = Object.hasOwn(nextSteps, name) ? nextSteps[name] : undefined;
  return known ?? nextStepFor("UnexpectedError");
};
