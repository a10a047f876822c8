import { setTimeout as wait } from "node:timers/promises";
import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { type CommonOptions, stageOption, usual } from "../commonOptions.ts";
import { type ControlPlane, stageOf } from "../controlPlane.ts";
import { type CliCommand, type CommandDefinition, defineCommand } from "../defineCommand.ts";
import type { CliOptions } from "../options.ts";
import type { Output } from "../output.ts";
import { readConfig } from "../readConfig.ts";

/** What a command works with that talks to the control plane. */
export interface ControlContext extends ControlPlane {
  readonly stage: string;
  readonly output: Output;
  readonly common: CommonOptions;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Waits so many milliseconds; rejects when `signal` is aborted. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** Reads the configuration, for commands that need one. @throws {InvalidInputError} fatal */
  readonly readConfig: () => Promise<LoadedConfig>;
  /** Asks a person; not set when nobody can answer. */
  readonly ask?: (question: string) => Promise<boolean>;
}

const delay = (milliseconds: number, signal: AbortSignal) => wait(milliseconds, undefined, { signal });

/** A command that talks to the control plane of a stage. It has `--stage` too. */
export const stageCommand = <const Options extends CliOptions>(
  definition: CommandDefinition<ControlContext, Options>,
): CliCommand =>
  defineCommand<Options>({
    ...definition,
    common: { ...(definition.common ?? usual), stage: stageOption },
    run: async (surroundings, asked) => {
      const { environment, ...rest } = surroundings;
      const { output, common, signal, now, ask, pause = delay } = rest;
      const stage = stageOf(common.stage, environment);
      const context: ControlContext = {
        ...(await surroundings.openControlPlane(stage)),
        stage,
        output,
        common,
        signal,
        now,
        pause,
        readConfig: () => readConfig(rest), // variables that hold passwords are the tasks'
        ...(ask ? { ask } : {}),
      };
      return (await definition.run(context, asked)) ?? 0;
    },
  });
