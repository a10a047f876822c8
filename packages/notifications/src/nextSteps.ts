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
    InstallationBusyError: "Let the job that the message names come to its end, then start this one again.",
  }),
  ...page("database.md", {
    DatabaseUnavailableError: "See whether the database server runs and can be reached, then start the job again.",
    DatabaseAccessDeniedError: "Compare the dump user's password, rights and TLS with what the server expects.",
    DatabaseMissingError: "Compare `database.name` in the configuration with the schemas on the server.",
    DatabaseFailedError: "Read the server's words in the message; check the table that it names.",
    DatabaseDumpFailedError: "Read the dump program's words in the message; check the table that it names.",
    TableLockedError: "Find who holds the table with `SHOW PROCESSLIST`, then start the job again.",
  }),
  ...page("source.md", {
    SourceUnreadableError: "Let the task's user read the file that the message names, then start the job again.",
    SourceLayoutError: "Rename or remove the file that the message names; no dump could hold it.",
    SqlconfError: "Write the values in `sqlconf.php` out as plain strings, then start the job again.",
  }),
  ...page("destination.md", {
    DestinationThrottledError: "Wait a quarter of an hour, then start the job again.",
    DestinationUnavailableError: "See whether the destination can be reached from the task, then start the job again.",
    DestinationAccessDeniedError: "Compare the task's role with the policies of the bucket and of its key.",
    DestinationMissingError: "Find out where the bucket or the repository went before anything else writes there.",
    DestinationFullError: "Make room at the destination, or let old dumps go, then start the job again.",
    RepositoryPasswordError: "Find the password that the repository was made with; do not begin a new repository.",
  }),
  ...page("damage.md", {
    IntegrityError: "Take a new dump now, keep the damaged one as it is, then see how far the damage goes.",
    KeyPairError: "Take nothing away: keys and rows do not fit. Compare the last dumps before anything is restored.",
    RestoredDataDiffersError: "Do not use the restored copy. Take a new dump, drill it, and keep both verdicts.",
  }),
  ...page("task.md", {
    TaskNotStartedError: "Read why ECS refused the task: capacity, role or image; then start the job again.",
    TaskStoppedError: "Read why the task stopped: memory, a deployment or a person; then start the job again.",
    TaskLostError: "See whether the task still runs and what its log said last, then start the job again.",
    JobTimeoutError: "Compare how long the job ran with the runs before it, and find the step that grew.",
    JobAbortedError: "Ask who stopped it; nothing half done counts. Start the job again when they agree.",
    DiskFullError: "Give the task more ephemeral storage, or the machine more room, then start the job again.",
    ToolMissingError: "Install the program that the message names, or deploy the image that has it.",
    ToolFailedError: "Read the program's words in the message and in the task's log.",
  }),
  ...page("restore.md", {
    DumpNotFoundError: "Choose a dump from the list of complete ones.",
    TargetNotEmptyError: "Name a schema and a directory that do not exist yet.",
    InPlaceNotAllowedError: "Restore beside the live system, or say explicitly that it shall be replaced.",
    ServiceRunningError: "Stop OpenEMR, all of it, then start the restore again.",
    OlderVersionError: "Deploy an OpenEMR that is as new as the dump, then start the restore again.",
    TargetUnsuitableError: "Give the target server the limits and collations that the message names.",
    LoadFailedError: "Mend what the message names, then start the same restore again: it goes on where it stopped.",
  }),
  ...page("configuration.md", {
    InvalidInputError: "Correct the field that the message names; nothing was touched.",
    SecretUnreadableError: "Compare the secret's ARN and field with the configuration, and the role with its policy.",
    DiscoveryError: "Write the value that the message names into the configuration.",
  }),
  ...page("control-plane.md", {
    ControlPlaneUnavailableError: "See whether AWS reports a disturbance in this region, then start the job again.",
    ControlPlaneAccessDeniedError: "Compare the caller's role with the right that the message names.",
    ControlPlaneMissingError: "Correct stage, account and region, or deploy this stage.",
    SecretStoreUnavailableError: "See whether Secrets Manager answers in this region, then start the job again.",
    UnexpectedError: "Open the execution and its log: this is a defect until proven otherwise.",
  }),
  ...page("overdue.md", {
    JobOverdue: "See whether the job runs, failed or never began; without a success there is no new dump.",
  }),
  ...page("notifications.md", {
    NotificationRefusedError: "Put a valid token or webhook into the secret, and invite the bot to its channel.",
  }),
};

/** The next step for an error of this name. An unknown name is treated as `UnexpectedError`. */
export const nextStepFor = (name: string): NextStep => {
  const known = Object.hasOwn(nextSteps, name) ? nextSteps[name] : undefined;
  return known ?? nextStepFor("UnexpectedError");
};
