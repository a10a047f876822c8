import { atCopy } from "@openemr-ops/core/config/atCopy";
import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import type { Installation, InstallationWith, SectionName } from "@openemr-ops/core/config/settings";
import { JobAbortedError } from "@openemr-ops/core/errors";
import type { JobListener } from "@openemr-ops/core/jobs";
import type { JobKind, LockingInput } from "@openemr-ops/events/jobKinds";
import type { Operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { type RunnableProgram, runByHand } from "@openemr-ops/task/runByHand";
import type { CommonOptions } from "../commonOptions.ts";
import { type CliCommand, type CommandDefinition, defineCommand } from "../defineCommand.ts";
import { notifyEarlyFailure } from "../notifyEarlyFailure.ts";
import type { CliOptions } from "../options.ts";
import type { Output } from "../output.ts";
import { readConfig } from "../readConfig.ts";

/** What a command works with once the configuration is read. */
export interface InstallationContext {
  readonly config: LoadedConfig;
  readonly installation: Installation;
  readonly operations: Operations;
  readonly output: Output;
  readonly common: CommonOptions;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Get the records of the jobs that the command runs. */
  readonly listeners?: readonly JobListener[];
  /** Asks a person; not set when nobody can answer. */
  readonly ask?: (question: string) => Promise<boolean>;
}

/** The same, of an installation that has the section that the command works with. */
export interface CommandContext<Name extends SectionName = "dumps"> extends InstallationContext {
  readonly installation: InstallationWith<Name>;
}

/** A command that works with this section of one installation of the configuration. */
export const sectionCommand = <Name extends SectionName, const Options extends CliOptions>(
  name: Name,
  definition: CommandDefinition<CommandContext<Name>, Options>,
): CliCommand =>
  defineCommand<Options>({
    ...definition,
    run: (surroundings, asked) =>
      notifyEarlyFailure(definition.onlyLooks?.(asked) ? undefined : definition.job, surroundings, async (listener) => {
        const { output, common, environment, now, signal, ask } = surroundings;
        const written = await readConfig(surroundings);
        const config = { ...written, metricsFile: common.metrics ?? written.metricsFile };
        const installation = requireSection(config, selectInstallation(config, common.installation), name);
        const operations = await surroundings.openOperations();
        const listeners = [listener];
        const context = { config, installation, operations, output, common, environment, now, signal, listeners };
        return (await definition.run({ ...context, ...(ask ? { ask } : {}) }, asked)) ?? 0;
      }),
  });

/** A command that works with the dumps of one installation. */
export const installationCommand = <const Options extends CliOptions>(
  definition: CommandDefinition<CommandContext, Options>,
): CliCommand => sectionCommand("dumps", definition);

export const placeOf = ({
  config,
  installation,
  environment,
  now,
  signal,
  listeners = [],
  output,
}: InstallationContext): Place => ({
  config,
  installation,
  environment,
  now,
  signal,
  listeners,
  progress: output.progress,
  warn: output.warn,
  note: output.note,
});

/** What the input of every job of a kind says. */
export const jobOf = <const Kind extends JobKind>({ installation, common }: InstallationContext, kind: Kind) => ({
  version: 1 as const,
  kind,
  installation: installation.id,
  dryRun: common.dryRun,
});

/** Runs a job's program under a record and locks of its own, or shows what it would do. */
export const carryOut = async <Request extends LockingInput, Plan, Result>(
  context: InstallationContext,
  program: RunnableProgram<Request, Plan, Result>,
  request: Request,
): Promise<Plan | Result> => (await runByHand(program, placeOf(context), request, context.operations)).result;

export type Fact = readonly [label: string, value: string];

export const sourceFacts = ({ installation: { database, sites } }: CommandContext): readonly Fact[] => [
  ["database", `${database.name} on ${database.host}:${database.port} as ${database.user}, TLS ${database.tls}`],
  ["sites", sites.path],
];

/** `label`: what the store is called; not set, the destination, or the copy with its number. */
export const storeFacts = (
  { installation }: CommandContext,
  copy?: number,
  label = copy === undefined ? "destination" : `copy ${copy}`,
): readonly Fact[] => {
  const { dumps } = atCopy(installation, copy);
  const { destination } = dumps;
  const endpoint = destination.kind === "s3" && destination.endpoint ? ` at ${destination.endpoint}` : "";
  return [[label, `${formatDestination(destination)}${endpoint} (${dumps.format})`]];
};

/** Says what is about to happen to which installation. */
export const announce = (context: InstallationContext, what: string, facts: readonly Fact[]): void => {
  const mode = context.common.dryRun ? ", dry run: nothing will be changed" : "";
  context.output.plan(`${what} ${context.installation.id}${mode}`, facts);
};

/**
 * Asks before something is changed. Nobody is asked in a dry run, with `--yes` or `--json`, or where no terminal is.
 *
 * @throws {JobAbortedError} fatal: the answer was no
 */
export const confirm = async (
  { common, ask }: Pick<InstallationContext, "common" | "ask">,
  question: string,
): Promise<void> => {
  if (common.dryRun || common.yes || common.json || !ask) return;
  if (!(await ask(question))) throw new JobAbortedError("the answer was no; nothing was changed");
};
