import { parseJson } from "@openemr-ops/core/config/jsonText";
import { type LoadedConfig, loadConfig, loadConfigText } from "@openemr-ops/core/config/load";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { exitCodeOf, InvalidInputError, toOpsError } from "@openemr-ops/core/errors";
import { visibleJson } from "@openemr-ops/core/visible";
import { jobKinds } from "@openemr-ops/events/jobKinds";
import { type TaskInput, taskInput } from "@openemr-ops/events/taskInput";
import type { Outcome } from "@openemr-ops/jobs/runJob";
import type { Operations } from "./operations.ts";
import type { AnyProgram, Place } from "./program.ts";
import { progressLines } from "./progressLines.ts";
import { runByHand } from "./runByHand.ts";
import { copiesOfDump } from "./runCopies.ts";
import { shortCopies, shortResult } from "./shortResults.ts";
import { within } from "./within.ts";
import { underWorkflow, type WorkflowLink, type WorkflowPorts } from "./workflow/link.ts";
import { readPlace } from "./workflow/place.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** All that the container program takes from its surroundings. */
export interface TaskSurroundings {
  readonly environment: Environment;
  /** Where relative names of a configuration given as text start. */
  readonly cwd: string;
  readonly writeResult: (text: string) => void;
  /** One line of the log, without its end. */
  readonly writeLog: (line: string) => void;
  readonly now: () => Date;
  /** Aborted when the container is asked to stop. */
  readonly signal: AbortSignal;
  /** Loads what does the work, once the input is valid. */
  readonly openOperations: () => Promise<Operations>;
  /** Loads what reaches the workflow of a stage; called only with a task token. */
  readonly openWorkflow: (stage: string) => Promise<WorkflowPorts>;
}

const readInput = (text: string | undefined): TaskInput => {
  if (!text) throw new InvalidInputError([{ path: "", message: 'is not set; expected JSON such as {"kind":"dump"}' }]);
  const parsed = parseStrictly(taskInput, parseJson(text));
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};

const readConfig = async (environment: Environment, cwd: string, installation?: string): Promise<LoadedConfig> => {
  const { OPENEMR_OPS_CONFIG: path, OPENEMR_OPS_CONFIG_JSON: text } = environment;
  const options = { environment, ...(installation === undefined ? {} : { installation }) };
  if (path && text) {
    throw new InvalidInputError([
      { path: "OPENEMR_OPS_CONFIG", message: "and OPENEMR_OPS_CONFIG_JSON are both set; keep one" },
    ]);
  }
  if (path) return within("OPENEMR_OPS_CONFIG", () => loadConfig(path, options));
  const from = "OPENEMR_OPS_CONFIG_JSON";
  if (text) return within(from, () => loadConfigText(text, { from, directory: cwd, ...options }));
  throw new InvalidInputError([
    {
      path: "OPENEMR_OPS_CONFIG",
      message: `is not set; expected a configuration's file name here, or its text in ${from}`,
    },
  ]);
};

type Log = ReturnType<typeof progressLines>;

const run = async (surroundings: TaskSurroundings, log: Log, link?: WorkflowLink): Promise<Outcome<unknown>> => {
  const { environment, cwd, now } = surroundings;
  const input = await within("OPENEMR_OPS_JOB", async () => readInput(environment.OPENEMR_OPS_JOB));
  const config = await readConfig(environment, cwd, input.installation);
  for (const { path, message } of config.warnings) log.warn(`${path} ${message}`);
  const selected = selectInstallation(config, input.installation);
  const installation = requireSection(config, selected, jobKinds[input.kind].section);
  const operations = await surroundings.openOperations();
  const program: AnyProgram = operations.programs[input.kind];
  const request = await within(
    "OPENEMR_OPS_JOB",
    async () => program.prepare?.(input as never, { directory: cwd, environment }) ?? input,
  );
  const { signal } = surroundings;
  const { progress, warn, note: write } = log;
  const place: Place = { config, installation, environment, now, signal, progress, warn, note: write };
  if (!link) {
    const outcome: Outcome<unknown> = await runByHand(program, place, request as never, operations);
    const result = shortResult(input.kind, outcome.result);
    if (input.kind !== "dump" || input.dryRun) return { ...outcome, result };
    const { result: copied, ...end } = await copiesOfDump(place, operations); // under a workflow it starts them
    const copies = copied.copies ? { copies: shortCopies(copied.copies) } : {};
    return { ...outcome, ...end, result: { ...(result as object), ...copies } };
  }
  const { hold, history, progress: note } = await link.open(installation.id, request);
  return hold((signal) => {
    const linked: Place = {
      ...place,
      signal,
      history,
      progress: (event) => {
        progress(event);
        note(event);
      },
    };
    return input.dryRun ? program.plan(linked, request as never) : program.run(linked, request as never);
  });
};

/** What goes to `writeResult`: the result, shortened, or under a workflow the report that it gets. */
const resultOf = async (
  surroundings: TaskSurroundings,
  log: Log,
): Promise<{ readonly result: unknown; readonly exitCode?: number }> => {
  const { environment, now, signal } = surroundings;
  const place = readPlace(environment);
  if (!place) return run(surroundings, log);
  const ports = await surroundings.openWorkflow(place.stage);
  const result = await underWorkflow(
    place,
    ports,
    { now, signal, warn: log.warn },
    async (link) => (await run(surroundings, log, link)).report,
  );
  return { result };
};

/**
 * Runs the one job that `OPENEMR_OPS_JOB` asks for, on the configuration in the file `OPENEMR_OPS_CONFIG` or the text
 * `OPENEMR_OPS_CONFIG_JSON`. One JSON object goes to `writeResult`: the job's result, or `{ "error": … }`. Never throws.
 *
 * With a task token in `OPENEMR_OPS_TASK_TOKEN` the job is one of a workflow: it works under the job's record and locks in
 * the control plane, and reports its end to the workflow first.
 *
 * @returns the exit status, the same as the command line's
 */
export const runTask = async (surroundings: TaskSurroundings): Promise<number> => {
  const log = progressLines(surroundings.writeLog, surroundings.now);
  try {
    const { result, exitCode = 0 } = await resultOf(surroundings, log);
    surroundings.writeResult(`${visibleJson(result)}\n`);
    return exitCode;
  } catch (failure) {
    const error = toOpsError(failure);
    const { name, message } = error;
    const issues = error instanceof InvalidInputError ? { issues: error.issues } : {};
    surroundings.writeResult(`${visibleJson({ error: { name, message, ...issues } })}\n`);
    log.error(name, message);
    return exitCodeOf(error);
  }
};
