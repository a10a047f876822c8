import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import { Argument, Command, CommanderError, Option } from "commander";
import { groups } from "./commands/groups.ts";
import { commands } from "./commands/index.ts";
import { type CommonOptions, usual } from "./commonOptions.ts";
import type { CliCommand } from "./defineCommand.ts";
import { type CliOption, type CliOptions, flagOf } from "./options.ts";

/** What reading a command line depends on. */
export interface ArgumentsContext {
  /** Relative names start here. */
  readonly cwd: string;
  readonly version: string;
  /** Width of help texts, in characters. */
  readonly columns?: number;
}

/** A command line, understood: a text that was asked for, or a command with its options. */
export type Invocation =
  | { readonly text: string }
  | { readonly command: CliCommand; readonly common: CommonOptions; readonly options: object };

const aCommandIsMissing = () =>
  new InvalidInputError([
    { path: "", message: `type a command, such as dump or restore; "openemr-ops --help" lists them` },
  ]);

const examples = (lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ openemr-ops ${line}\n`).join("")}`;

/** Adds an option or argument to a command; returns what reads its value once the command line is parsed. */
const addTo = (target: Command, { flags, description, read }: CliOption<unknown>, cwd: string): (() => unknown) => {
  const readText = read && ((text: string, earlier: unknown) => read(text, earlier, cwd));
  if (!flags.startsWith("-")) {
    const argument = new Argument(flags, description);
    const position = target.registeredArguments.length;
    target.addArgument(readText ? argument.argParser(readText) : argument);
    return () => target.processedArgs[position];
  }
  const option = new Option(flags, description);
  target.addOption(readText ? option.argParser(readText) : option);
  return () => target.getOptionValue(option.attributeName());
};

/** Adds options to a command; returns what collects their values, and an issue for each that is missing. */
const addAll = (target: Command, options: CliOptions, cwd: string) => {
  const readers = Object.entries(options).map(([name, option]) => ({ name, option, read: addTo(target, option, cwd) }));
  return (issues: InputIssue[]): Readonly<Record<string, unknown>> => {
    const values: Record<string, unknown> = {};
    for (const { name, option, read } of readers) {
      const value = read() ?? option.fallback;
      if (value !== undefined) values[name] = value;
      else if (option.missing !== undefined) issues.push({ path: flagOf(option), message: option.missing });
    }
    return values;
  };
};

/** The command of these words below `program`. Creates it, and the groups above it. */
const commandAt = (program: Command, words: readonly string[]): Command =>
  words.reduce((above, word) => {
    above.enablePositionalOptions();
    const known = above.commands.find((command) => command.name() === word);
    return known ?? above.command(word).description(groups[word] ?? "");
  }, program);

const addCommand = (
  program: Command,
  command: CliCommand,
  { cwd }: ArgumentsContext,
  found: (invocation: Invocation) => void,
): void => {
  const target = commandAt(program, command.name.split(" "))
    .description(command.summary)
    .addHelpText("after", examples(command.examples));
  const commonOf = addAll(target, command.common ?? usual, cwd);
  const optionsOf = addAll(target, command.options, cwd);
  target.action(() => {
    const issues: InputIssue[] = [];
    const common = { json: false, dryRun: false, yes: false, ...commonOf(issues) };
    const options = optionsOf(issues);
    issues.push(...(command.problems?.(options, common) ?? []));
    if (issues.length > 0) throw new InvalidInputError(issues);
    found({ command, common, options });
  });
};

/** What a person looks up who puts the program into a script. */
const surroundings = `Exit status:
  0  done
  2  wrong input: options, configuration or a secret; nothing was changed
  3  refused: a precondition is not met; nothing was changed
  4  failed
  5  another job of the installation is running
  6  damage: stored or restored data differ from what was written

Environment:
  OPENEMR_OPS_STAGE   the stage that jobs, run, watch and schedules ask (default: production)
  OPENEMR_OPS_RESTIC, OPENEMR_OPS_TAR, OPENEMR_OPS_MARIADB, OPENEMR_OPS_MARIADB_DUMP
                      programs to start in place of those on the PATH
  NO_COLOR            set, nothing is coloured
  AWS_PROFILE, AWS_REGION, …
                      AWS's usual variables, for destinations, secrets and the control plane
`;

/** The tree of commands; the command that is named passes its invocation to `found`. */
const buildProgram = (context: ArgumentsContext, found: (invocation: Invocation) => void): Command => {
  const program = new Command("openemr-ops")
    .description("Day-two operations for a running OpenEMR: dumps that are proven to restore.")
    .version(context.version, "--version", "the version of this program")
    .enablePositionalOptions()
    .addHelpText("after", examples(["dump --config /srv/clinic-a.config.json", "help restore"]))
    .addHelpText("after", surroundings);
  for (const command of commands) addCommand(program, command, context, found);
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
 * Parses a command line; does nothing else.
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
    if (error.exitCode === 0) return { text: written.join("") };
    throw error.code === "commander.help" ? aCommandIsMissing() : toInvalidInput(error);
  }
  const [invocation] = invocations;
  if (!invocation) throw aCommandIsMissing();
  return invocation;
};
