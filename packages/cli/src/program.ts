import { setTimeout as wait } from "node:timers/promises";
import { type LoadedConfig, loadConfig } from "@openemr-ops/core/config/load";
import { selectInstallation } from "@openemr-ops/core/config/select";
import { exitCodeOf, toOpsError } from "@openemr-ops/core/errors";
import type { Operations } from "@openemr-ops/task/operations";
import { parseArguments } from "./arguments.ts";
import { check } from "./commands/check.ts";
import { checkDestination } from "./commands/checkDestination.ts";
import { configCheck } from "./commands/configCheck.ts";
import type { CommandContext } from "./commands/context.ts";
import type { ControlContext } from "./commands/controlContext.ts";
import { drill } from "./commands/drill.ts";
import { dump } from "./commands/dump.ts";
import { dumps } from "./commands/dumps.ts";
import { jobs } from "./commands/jobs.ts";
import { restore } from "./commands/restore.ts";
import { retention } from "./commands/retention.ts";
import { runWorkflow } from "./commands/runWorkflow.ts";
import { schedules } from "./commands/schedules.ts";
import { watch } from "./commands/watch.ts";
import { type ControlPlane, stageOf } from "./controlPlane.ts";
import { findConfig } from "./findConfig.ts";
import type { CommonOptions, ControlPlaneCommand, Invocation } from "./invocation.ts";
import { createOutput, type Output } from "./output.ts";
import type { Sink } from "./terminal.ts";

/** All that the program takes from its surroundings. */
export interface Surroundings {
  /** What follows the program's name. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly version: string;
  readonly now: () => Date;
  /** Aborted when someone asks the program to stop. */
  readonly signal: AbortSignal;
  /** Asks a person; not set when nobody can answer. */
  readonly ask?: (question: string) => Promise<boolean>;
  /** Loads what does the work; called only by commands that need it. */
  readonly openOperations: () => Promise<Operations>;
  /** Loads what reaches the control plane of a stage; called only by commands that need it. */
  readonly openControlPlane: (stage: string) => Promise<ControlPlane>;
  /** Waits so many milliseconds; rejects when `signal` is aborted. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

const delay = (milliseconds: number, signal: AbortSignal) => wait(milliseconds, undefined, { signal });

type Command = Exclude<Invocation, { readonly command: "text" }>;

const readConfig = async (
  { installation, config }: CommonOptions,
  { cwd, environment }: Pick<Surroundings, "cwd"> & Partial<Surroundings>,
  output: Output,
): Promise<LoadedConfig> => {
  const path = config ?? (await findConfig(cwd));
  const loaded = await loadConfig(path, {
    ...(environment ? { environment } : {}),
    ...(installation === undefined ? {} : { installation }),
  });
  for (const warning of loaded.warnings) output.warn(`${warning.path} ${warning.message}`);
  return loaded;
};

const runOnControlPlane = async (
  invocation: Command & ControlPlaneCommand,
  surroundings: Surroundings,
  output: Output,
): Promise<number> => {
  const { common } = invocation;
  const { cwd, environment, signal, now, ask, pause = delay } = surroundings;
  const stage = stageOf(invocation.stage, environment);
  const context: ControlContext = {
    ...(await surroundings.openControlPlane(stage)),
    ...{ stage, output, common, signal, now, pause },
    readConfig: () => readConfig(common, { cwd }, output), // variables that hold passwords are the tasks'
    ...(ask ? { ask } : {}),
  };
  switch (invocation.command) {
    case "jobs":
      await jobs(context, invocation);
      return 0;
    case "run":
      return runWorkflow(context, invocation);
    case "watch":
      return watch(context, invocation);
    case "schedules":
      await schedules(context);
      return 0;
  }
};

const isOfControlPlane = (invocation: Command): invocation is Command & ControlPlaneCommand =>
  ["jobs", "run", "watch", "schedules"].includes(invocation.command);

const runCommand = async (invocation: Command, surroundings: Surroundings, output: Output): Promise<number> => {
  if (isOfControlPlane(invocation)) return runOnControlPlane(invocation, surroundings, output);
  const { common } = invocation;
  const config = await readConfig(common, surroundings, output);
  if (invocation.command === "config check") {
    configCheck(config, output);
    return 0;
  }
  const context: CommandContext = {
    config,
    installation: selectInstallation(config, common.installation),
    operations: await surroundings.openOperations(),
    output,
    common,
    environment: surroundings.environment,
    signal: surroundings.signal,
    ...(surroundings.ask ? { ask: surroundings.ask } : {}),
  };
  switch (invocation.command) {
    case "dump":
      await dump(context, { forceNewRepository: invocation.forceNewRepository });
      break;
    case "dumps":
      await dumps(context);
      break;
    case "restore":
      await restore(context, invocation.options);
      break;
    case "drill":
      await drill(context, { dump: invocation.dump });
      break;
    case "check":
      await check(context, invocation);
      break;
    case "check destination":
      return checkDestination(context);
    case "retention":
      await retention(context);
      break;
  }
  return 0;
};

/** Runs one command line to its end and returns the exit status; never throws. */
export const runProgram = async (surroundings: Surroundings): Promise<number> => {
  const { argv, cwd, stdout, stderr, environment, version, now } = surroundings;
  const output = createOutput({ stdout, stderr, environment, json: argv.includes("--json"), now });
  try {
    const columns = stdout.columns === undefined ? {} : { columns: stdout.columns };
    const invocation = parseArguments(argv, { cwd, version, ...columns });
    if (invocation.command !== "text") return await runCommand(invocation, surroundings, output);
    stdout.write(invocation.text);
    return 0;
  } catch (failure) {
    const error = toOpsError(failure);
    output.failure(error);
    return exitCodeOf(error);
  }
};
