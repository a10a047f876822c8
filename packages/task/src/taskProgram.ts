import { parseJson } from "@openemr-ops/core/config/jsonText";
import { checkConnection, type LoadedConfig, loadConfig, loadConfigText } from "@openemr-ops/core/config/load";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import type { OpenEmrConnection } from "@openemr-ops/core/config/settings";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { exitCodeOf, InvalidInputError, toOpsError } from "@openemr-ops/core/errors";
import { visibleJson } from "@openemr-ops/core/visible";
import { type TaskInput, taskInput } from "@openemr-ops/events/taskInput";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import type { Job, Operations, RestoreRequest } from "./operations.ts";
import { progressLines } from "./progressLines.ts";
import { underWorkflow, type WorkflowLink, type WorkflowPorts } from "./workflow/link.ts";
import { readPlace } from "./workflow/place.ts";
import { checkReport, dumpReport, retentionReport, verdictReport } from "./workflow/report.ts";

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
  /** Loads what does the work, once the input is known to be in order. */
  readonly openOperations: () => Promise<Operations>;
  /** Loads what reaches the workflow of a stage; called only with a task token. */
  readonly openWorkflow: (stage: string) => Promise<WorkflowPorts>;
}

/** Runs work whose issues name fields of `variable`, and says so in their paths. */
const within = async <Result>(variable: string, work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({
      path: path ? `${variable}: ${path}` : variable,
      message,
    }));
    throw new InvalidInputError(issues, { cause: error });
  }
};

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

const restoreRequestOf = (
  { dump, intoDatabase, intoSites, inPlace, upgrade, platform }: Extract<TaskInput, { readonly kind: "restore" }>,
  connection: OpenEmrConnection | undefined,
): RestoreRequest => ({
  dump,
  inPlace,
  upgrade,
  ...(intoDatabase === undefined ? {} : { intoDatabase }),
  ...(intoSites === undefined ? {} : { intoSites }),
  ...(platform === undefined ? {} : { platform }),
  ...(connection ? { connection } : {}),
});

/** What came of a job: all of it, and as much as a workflow is told. */
interface Outcome {
  readonly result: unknown;
  readonly report: TaskReport;
}

const carryOut = async (
  operations: Operations,
  job: Job,
  input: TaskInput,
  connection: OpenEmrConnection | undefined,
): Promise<Outcome> => {
  switch (input.kind) {
    case "dump": {
      const result = await operations.takeDump(job, { forceNewRepository: input.forceNewRepository });
      return { result, report: dumpReport(result, job.installation) };
    }
    case "drill": {
      const result = await operations.drillDump(job, { dump: input.dump });
      return { result, report: verdictReport(result) };
    }
    case "check": {
      const { level, share } = input;
      const result = await operations.checkDumps(job, share === undefined ? { level } : { level, share });
      return { result, report: checkReport(result) };
    }
    case "retention": {
      const result = await operations.applyRetention(job);
      return { result, report: retentionReport(result) };
    }
    case "restore": {
      const result = await operations.restoreDump(job, restoreRequestOf(input, connection));
      return { result, report: verdictReport(result) };
    }
  }
};

type Log = ReturnType<typeof progressLines>;

const run = async (surroundings: TaskSurroundings, log: Log, link?: WorkflowLink): Promise<Outcome> => {
  const { environment, cwd } = surroundings;
  const input = await within("OPENEMR_OPS_JOB", async () => readInput(environment.OPENEMR_OPS_JOB));
  const config = await readConfig(environment, cwd, input.installation);
  for (const { path, message } of config.warnings) log.warn(`${path} ${message}`);
  const installation = requireSection(config, selectInstallation(config, input.installation), "dumps");
  const connection =
    input.kind === "restore" && input.connection
      ? await within("OPENEMR_OPS_JOB: connection", () =>
          checkConnection(input.connection, { directory: cwd, environment }),
        )
      : undefined;
  const dryRun = input.kind !== "check" && input.dryRun;
  const opened = await link?.open({ kind: input.kind, installation: installation.id, dryRun });
  const job: Job = {
    config,
    installation,
    dryRun,
    environment,
    signal: link?.signal ?? surroundings.signal,
    progress: (event) => {
      log.progress(event);
      opened?.progress(event);
    },
    warn: log.warn,
    ...(opened ? { stores: opened.stores } : {}),
  };
  return carryOut(await surroundings.openOperations(), job, input, connection);
};

/** What goes to `writeResult`: all of the result, or under a workflow what that is told. */
const resultOf = async (surroundings: TaskSurroundings, log: Log): Promise<unknown> => {
  const { environment, now, signal } = surroundings;
  const place = readPlace(environment);
  if (!place) return (await run(surroundings, log)).result;
  const ports = await surroundings.openWorkflow(place.stage);
  return underWorkflow(
    place,
    ports,
    { now, signal, warn: log.warn },
    async (link) => (await run(surroundings, log, link)).report,
  );
};

/**
 * Runs the one job that `OPENEMR_OPS_JOB` asks for, on the configuration in the file `OPENEMR_OPS_CONFIG` or the text
 * `OPENEMR_OPS_CONFIG_JSON`. One JSON object goes to `writeResult`: the job's result, or `{ "error": … }`. Never throws.
 *
 * With a task token in `OPENEMR_OPS_TASK_TOKEN` the job is one of a workflow: it works under the job's record and lock in
 * the control plane, and tells the workflow its end first.
 *
 * @returns the exit status, the same as the command line's
 */
export const runTask = async (surroundings: TaskSurroundings): Promise<number> => {
  const log = progressLines(surroundings.writeLog, surroundings.now);
  try {
    surroundings.writeResult(`${visibleJson(await resultOf(surroundings, log))}\n`);
    return 0;
  } catch (failure) {
    const error = toOpsError(failure);
    const { name, message } = error;
    const issues = error instanceof InvalidInputError ? { issues: error.issues } : {};
    surroundings.writeResult(`${visibleJson({ error: { name, message, ...issues } })}\n`);
    log.error(name, message);
    return exitCodeOf(error);
  }
};
