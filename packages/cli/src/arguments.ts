import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import type { WorkflowKind } from "@openemr-ops/core/names";
import { type VerificationLevel, verificationLevels } from "@openemr-ops/dumps/verification";
import { Command, CommanderError } from "commander";
import {
  type CommonOptions,
  type Invocation,
  type RestoreArguments,
  type TargetPlatform,
  targetPlatforms,
} from "./invocation.ts";
import {
  aChoice,
  aDump,
  aJob,
  aLimit,
  anInstallation,
  aPath,
  aSchema,
  aShare,
  aStage,
  aText,
  aWorkflow,
} from "./optionValues.ts";

/** What a command line may be read against. */
export interface ArgumentsContext {
  /** Relative names start here. */
  readonly cwd: string;
  readonly version: string;
  /** Width of help texts, in characters. */
  readonly columns?: number;
}

/** What commander collects for one command, by the options' names in camel case. */
interface Options {
  readonly config?: string;
  readonly installation?: string;
  readonly json?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly forceNewRepository?: true;
  readonly dump?: string;
  readonly intoDatabase?: string;
  readonly intoSites?: string;
  readonly inPlace?: true;
  readonly for?: TargetPlatform;
  readonly connect?: string;
  readonly upgrade?: true;
  readonly level?: VerificationLevel;
  readonly share?: string;
  readonly stage?: string;
  readonly limit?: number;
  readonly input?: string;
  readonly wait?: true;
}

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

/** Optional properties must be absent, not undefined. */
const given = <Name extends string, Value>(name: Name, value: Value | undefined): { readonly [key in Name]?: Value } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [key in Name]?: Value });

const commonOptions = (options: Options): CommonOptions => ({
  json: options.json === true,
  dryRun: options.dryRun === true,
  yes: options.yes === true,
  ...given("config", options.config),
  ...given("installation", options.installation),
});

const restoreArguments = (options: Options): RestoreArguments => {
  const { intoDatabase, intoSites } = options;
  const inPlace = options.inPlace === true;
  const issues: InputIssue[] = [];
  if (options.dump === undefined) {
    issues.push({ path: "--dump", message: "is missing; say latest, or an identifier that dumps lists" });
  }
  if (inPlace && (intoDatabase ?? intoSites) !== undefined) {
    issues.push({
      path: "--in-place",
      message: "replaces the live system; leave --into-database and --into-sites out",
    });
  }
  const cloudSql = options.for === "cloud-sql";
  if (cloudSql && (inPlace || intoSites !== undefined)) {
    issues.push({ path: "--for", message: "cloud-sql loads a database alone; leave --in-place and --into-sites out" });
  }
  const into = [
    ["--into-database", intoDatabase, "a new schema for the rows"],
    ["--into-sites", cloudSql || intoSites, "a new directory for the files"],
  ] as const;
  for (const [path, value, what] of into) {
    if (!inPlace && value === undefined) {
      issues.push({ path, message: `is missing; name ${what}, or say --in-place to replace the live system` });
    }
  }
  if (issues.length > 0) throw new InvalidInputError(issues);
  return {
    dump: options.dump ?? "",
    inPlace,
    upgrade: options.upgrade === true,
    ...given("intoDatabase", intoDatabase),
    ...given("intoSites", intoSites),
    ...given("platform", options.for),
    ...given("connect", options.connect),
  };
};

const addCommon = (command: Command, { cwd }: ArgumentsContext): Command =>
  command
    .option("--config <file>", "configuration (default: openemr-ops.config.json or .ts here)", aPath(cwd))
    .option("--installation <id>", "which installation, when there are several", anInstallation)
    .option("--json", "one JSON value on standard output, logs on standard error")
    .option("--yes", "never ask, for scripts that have a terminal");

const addStage = (command: Command): Command =>
  command.option("--stage <name>", "the deployed stage (default: OPENEMR_OPS_STAGE, or production)", aStage);

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ openemr-ops ${line}\n`).join("")}`;

const dryRun = ["--dry-run", "say what would happen and change nothing"] as const;

/** The tree of commands; whichever is named hands its invocation to `found`. */
const buildProgram = (context: ArgumentsContext, found: (invocation: Invocation) => void): Command => {
  const program = new Command("openemr-ops")
    .description("Day-two operations for a running OpenEMR: dumps that are proven to restore.")
    .version(context.version, "--version", "the version of this program")
    .enablePositionalOptions()
    .addHelpText("after", examples("dump --config /etc/openemr-ops.config.json", "help restore"));

  addCommon(program.command("dump"), context)
    .description("Dump the database and the sites directory, prove the pair, and seal it with a manifest.")
    .option(...dryRun)
    .option("--force-new-repository", "begin a new repository although the one with earlier dumps is gone")
    .addHelpText("after", examples("dump", "dump --installation clinic-a --json"))
    .action((options: Options) => {
      const forceNewRepository = options.forceNewRepository === true;
      found({ command: "dump", common: commonOptions(options), forceNewRepository });
    });

  addCommon(program.command("dumps"), context)
    .description("List the dumps at the destination, newest first. Needs no repository password.")
    .addHelpText("after", examples("dumps", "dumps --json"))
    .action((options: Options) => found({ command: "dumps", common: commonOptions(options) }));

  addCommon(program.command("restore"), context)
    .description("Restore a dump: beside the live system, or in place with its explicit flag.")
    .option("--dump <id>", "latest, or a dump's identifier", aDump)
    .option("--into-database <name>", "restore the database into this new schema", aSchema)
    .option("--into-sites <directory>", "restore the sites into this new directory", aPath(context.cwd))
    .option("--in-place", "restore over the live database and sites; a safety dump is taken first")
    .option(`--for <platform>`, `make the tree ready for ${targetPlatforms.join(", ")}`, aChoice(targetPlatforms))
    .option(
      "--connect <file>",
      "JSON with host, port, name, user, passwordFile for the restored OpenEMR",
      aPath(context.cwd),
    )
    .option("--upgrade", "the code at the target is newer and will upgrade the data")
    .option(...dryRun)
    .addHelpText(
      "after",
      examples(
        "restore --dump latest --into-database restored --into-sites /srv/restore",
        "restore --dump latest --in-place --dry-run",
        "restore --dump latest --for cloud-sql --into-database openemr",
        "restore --dump 01K9ZV6T5W8QH3N2R4X7BCDEFG --into-database restored --into-sites /mnt/efs/new --for ecs --connect target.json",
      ),
    )
    .action((options: Options) => {
      found({ command: "restore", common: commonOptions(options), options: restoreArguments(options) });
    });

  addCommon(program.command("drill"), context)
    .description("Rehearse a restore into a scratch schema and directory, compare all of it, and tear it down.")
    .option("--dump <id>", "latest (default), or a dump's identifier", aDump)
    .option(...dryRun)
    .addHelpText("after", examples("drill", "drill --dump latest --json"))
    .action((options: Options) => {
      found({
        command: "drill",
        common: commonOptions(options),
        dump: options.dump ?? "latest",
      });
    });

  const check = addCommon(program.command("check"), context)
    .enablePositionalOptions()
    .description("Check dumps at the destination, or the destination itself.")
    .option(
      "--level <level>",
      `how deep: ${verificationLevels.join(", ")} (default: objects)`,
      aChoice(verificationLevels),
    )
    .option("--share <n/m>", "with read-data: only the n-th of m parts of the repository", aShare)
    .addHelpText("after", examples("check", "check --level read-data --share 1/7", "check destination"))
    .action((options: Options) => {
      const level = options.level ?? "objects";
      if (options.share && level !== "read-data") refuse("--share", "goes with --level read-data");
      found({ command: "check", common: commonOptions(options), level, ...given("share", options.share) });
    });

  addCommon(check.command("destination"), context)
    .description("Put, get, list and delete a scratch object at the destination; say which quirks it has.")
    .addHelpText("after", examples("check destination --json"))
    .action((options: Options) => found({ command: "check destination", common: commonOptions(options) }));

  addCommon(program.command("retention"), context)
    .description("Expire dumps by the retention policy. Never the newest complete or the newest verified one.")
    .option(...dryRun)
    .addHelpText("after", examples("retention --dry-run", "retention --yes"))
    .action((options: Options) => found({ command: "retention", common: commonOptions(options) }));

  const config = program.command("config").description("Work on the configuration.");
  addCommon(config.command("check"), context)
    .description("Check the configuration and all files that it names; touch nothing.")
    .addHelpText("after", examples("config check --config /etc/openemr-ops.config.json"))
    .action((options: Options) => found({ command: "config check", common: commonOptions(options) }));

  addStage(addCommon(program.command("jobs"), context))
    .description("List the jobs that the control plane ran, newest first.")
    .option("--limit <count>", "how many of each installation (default: 20)", aLimit)
    .addHelpText("after", examples("jobs", "jobs --installation clinic-a --limit 100 --json"))
    .action((options: Options) => {
      const { limit = 20 } = options;
      found({ command: "jobs", common: commonOptions(options), limit, ...given("stage", options.stage) });
    });

  const run = addStage(addCommon(program.command("run"), context))
    .description("Start a workflow of the control plane: dump, drill, check or restore.")
    .option("--input <json>", 'what the workflow is asked, such as \'{"dump":"latest"}\'', aText)
    .option("--wait", "follow the job to its end; the exit status is then the job's")
    .option(...dryRun)
    .addHelpText(
      "after",
      examples(
        "run dump --installation clinic-a --wait",
        'run check --input \'{"level":"read-data","share":"1/7"}\'',
        "run RestoreDrill --stage staging --dry-run",
      ),
    );
  run.argument("<workflow>", "dump, drill, check, restore, or the workflow's name", aWorkflow);
  run.action((kind: WorkflowKind, options: Options) => {
    const { stage, input, wait } = options;
    const asked = { kind, wait: wait === true, ...given("stage", stage), ...given("input", input) };
    found({ command: "run", common: commonOptions(options), ...asked });
  });

  const watch = addStage(addCommon(program.command("watch"), context))
    .description("Follow a job of the control plane to its end; the exit status is then the job's.")
    .addHelpText("after", examples("watch 01K9ZV6T5W8QH3N2R4X7BCDEFG"));
  watch.argument("<job>", "a job's identifier, as run prints and jobs lists it", aJob);
  watch.action((jobId: string, options: Options) => {
    found({ command: "watch", common: commonOptions(options), jobId, ...given("stage", options.stage) });
  });

  addStage(addCommon(program.command("schedules"), context))
    .description("List when jobs are due, when each succeeded last, and which are overdue.")
    .addHelpText("after", examples("schedules", "schedules --stage staging --json"))
    .action((options: Options) => {
      found({ command: "schedules", common: commonOptions(options), ...given("stage", options.stage) });
    });

  return program;
};

const everyCommand = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(everyCommand)];

/** Commander's sentence as an issue of ours. What follows `=` in an unknown option may be a password; it is left out. */
const toInvalidInput = (error: CommanderError): InvalidInputError => {
  const sentence = error.message.replace(/^error: /, "").replace(/=[^']*'/g, "'");
  const [, option, problem] =
    /^option '(--[a-z-]+)[^']*' argument '[\s\S]*' is invalid\. ([\s\S]*)$/.exec(sentence) ?? [];
  if (option !== undefined && problem !== undefined) return new InvalidInputError([{ path: option, message: problem }]);
  const [, named] = /'(--[A-Za-z][A-Za-z0-9-]*)/.exec(sentence) ?? [];
  return new InvalidInputError([{ path: named ?? "", message: sentence.replace(/\s*\n\s*/g, " ") }]);
};

/**
 * Understands a command line; does nothing else.
 *
 * @param argv what follows the program's name
 * @throws {InvalidInputError} fatal: unknown command or option, missing or unfit value; the option is the issue's path
 */
export const parseArguments = (argv: readonly string[], context: ArgumentsContext): Invocation => {
  const written: string[] = [];
  const invocations: Invocation[] = [];
  const program = buildProgram(context, (invocation) => invocations.push(invocation));
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => written.push(text),
      writeErr: () => {},
      getOutHelpWidth: () => context.columns ?? 100,
      getErrHelpWidth: () => context.columns ?? 100,
    });
  }
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: "text", text: written.join("") };
    if (error.code === "commander.help")
      return refuse("", `say a command, such as dump or restore; "openemr-ops --help" lists them`);
    throw toInvalidInput(error);
  }
  const [invocation] = invocations;
  return invocation ?? refuse("", `say a command, such as dump or restore; "openemr-ops --help" lists them`);
};
