import type { InputIssue } from "@openemr-ops/core/errors";
import type { JobKind } from "@openemr-ops/events/jobKinds";
import type { CommonOptions, CommonOptionsTaken } from "./commonOptions.ts";
import type { Asked, CliOptions } from "./options.ts";
import type { Output } from "./output.ts";
import type { Surroundings } from "./surroundings.ts";

/** What every command may use. */
export interface CommandSurroundings extends Surroundings {
  readonly output: Output;
  readonly common: CommonOptions;
}

/** One command, with all that the command line and its help know of it. */
export interface CommandDefinition<Context, Options extends CliOptions> {
  /** The words that are typed, such as `check destination`. */
  readonly name: string;
  readonly summary: string;
  /** The kind of jobs whose work it does; not set, none. */
  readonly job?: JobKind;
  /** Whether it runs no job with these options: whoever asks gets the answer, and nobody else is notified. */
  readonly onlyLooks?: (asked: Asked<Options>) => boolean;
  /** Common options that it takes; not set, the usual ones. */
  readonly common?: CommonOptionsTaken;
  readonly options: Options;
  /** Command lines that work as they are, without the program's name. */
  readonly examples: readonly string[];
  /** The issues of options that exclude each other. Called before anything is read. */
  readonly problems?: (asked: Partial<Asked<Options>>, common: CommonOptions) => readonly InputIssue[];
  /** @returns the exit status; 0 when there is none */
  readonly run: (context: Context, asked: Asked<Options>) => Promise<number> | Promise<void>;
}

/** A definition whose options are known by name only. `defineCommand` is the one way to get one. */
export interface CliCommand extends Omit<CommandDefinition<never, CliOptions>, "problems" | "run" | "onlyLooks"> {
  problems?(asked: object, common: CommonOptions): readonly InputIssue[];
  run(surroundings: CommandSurroundings, asked: object): Promise<number> | Promise<void>;
}

/** A command that needs neither a configuration nor a control plane. See also `installationCommand` and `stageCommand`. */
export const defineCommand = <const Options extends CliOptions>(
  definition: CommandDefinition<CommandSurroundings, Options>,
): CliCommand => definition;
