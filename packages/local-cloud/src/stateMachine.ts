import { InvalidInputError } from "@openemr-ops/core/errors";
import { StateMachine, type StateMachineDefinition } from "aws-local-stepfunctions";
import type { DeployedMachine } from "./deployment.ts";
import { isObject, type Json, type JsonObject, maybeList, maybeObject, maybeText, numberOr, objectAt } from "./json.ts";

/** A Task state of a machine, wherever it is nested. */
export interface TaskState {
  readonly name: string;
  /** `lambda:invoke`, `ecs:runTask`, `events:putEvents` or `states:startExecution`. */
  readonly integration: string;
  readonly waitsForToken: boolean;
  readonly heartbeatSeconds?: number;
  readonly timeoutSeconds: number;
}

/** A machine that the interpreter can run. */
export interface RunnableMachine extends DeployedMachine {
  readonly tasks: readonly TaskState[];
  /** What the interpreter calls for Wait states whose seconds are in the data, by the state's name. */
  readonly waits: Readonly<Record<string, (parameters: unknown) => Promise<null>>>;
  readonly interpreter: StateMachine;
}

/** A timer of Node's holds 24.8 days. For AWS "no timeout" is three years. */
const longestSeconds = 2_000_000;

const integrations = ["lambda:invoke", "ecs:runTask", "events:putEvents", "states:startExecution"];
/** Of the context object only these are kept up to date by the interpreter or around it. */
const contextPaths = /^\$\$\.(Execution\.(Id|Name|Input|StartTime|RoleArn)|Task\.Token|StateMachine\.(Id|Name))\b/;
const stateTypes = ["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"];

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

const refuseUnknownPaths = (value: Json, path: string): void => {
  if (Array.isArray(value)) for (const item of value) refuseUnknownPaths(item, path);
  if (isObject(value)) for (const [name, item] of Object.entries(value)) refuseUnknownPaths(item, `${path}.${name}`);
  if (typeof value !== "string") return;
  for (const [found] of value.matchAll(/\$\$[.[\]\w]*/g))
    if (!contextPaths.test(found)) refuse(path, `reads ${found}, which the local cloud does not keep up to date`);
};

const taskOf = (name: string, state: JsonObject, path: string): TaskState => {
  const [, integration = "", suffix] =
    /^arn:aws:states:::([a-z]+:[A-Za-z]+)(\.waitForTaskToken)?$/.exec(maybeText(state.Resource) ?? "") ?? [];
  if (!integrations.includes(integration))
    refuse(path, `calls ${String(state.Resource)}, which the local cloud cannot`);
  for (const unknown of ["HeartbeatSecondsPath", "TimeoutSecondsPath", "Credentials"])
    if (unknown in state) refuse(path, `says ${unknown}, which the local cloud does not know`);
  if (suffix && !JSON.stringify(state.Parameters ?? {}).includes("$$.Task.Token"))
    refuse(path, "waits for a token that it gives to nobody");
  return {
    name,
    integration,
    waitsForToken: suffix !== undefined,
    ...(state.HeartbeatSeconds === undefined ? {} : { heartbeatSeconds: numberOr(state.HeartbeatSeconds, 0) }),
    timeoutSeconds: Math.min(numberOr(state.TimeoutSeconds, longestSeconds), longestSeconds),
  };
};

const prepareRetries = (state: JsonObject, retryScale: number): JsonObject =>
  state.Retry === undefined
    ? {}
    : {
        Retry: maybeList(state.Retry).map((written): Json => {
          const retrier = maybeObject(written);
          const most = retrier.MaxDelaySeconds;
          return {
            ...retrier,
            IntervalSeconds: numberOr(retrier.IntervalSeconds, 1) * retryScale,
            ...(most === undefined ? {} : { MaxDelaySeconds: numberOr(most, 0) * retryScale }),
          };
        }),
      };

/** How much faster than in AWS time passes for machines. Each is 1 when not set. */
export interface Scales {
  /** The seconds between attempts are multiplied by it. */
  readonly retryScale?: number | undefined;
  /** So are the seconds of Wait states. Time limits are not: they bound work, which takes as long here as anywhere. */
  readonly waitScale?: number | undefined;
}

interface Preparation {
  readonly machine: string;
  readonly retryScale: number;
  readonly waitScale: number;
  readonly tasks: TaskState[];
  readonly waits: Record<string, (parameters: unknown) => Promise<null>>;
}

/**
 * The definition, corrected where the interpreter differs from AWS: it times out after 60 seconds where no
 * timeout is written, it takes the path `$` for a name, its timers overflow after 24 days, and it
 * knows no functions in Fail states.
 */
const prepareStates = (definition: JsonObject, preparation: Preparation): JsonObject => ({
  ...definition,
  ...(definition.TimeoutSeconds === undefined
    ? {}
    : { TimeoutSeconds: Math.min(numberOr(definition.TimeoutSeconds, longestSeconds), longestSeconds) }),
  States: Object.fromEntries(
    Object.entries(objectAt(definition.States, preparation.machine)).flatMap(([name, written]) => {
      const state = prepareState(name, objectAt(written, name), preparation);
      return state.Type === "Fail" ? splitFail(name, state) : [[name, state]];
    }),
  ),
});

/** The interpreter knows functions in parameters alone, AWS also where a Fail state says its error and its cause. */
const splitFail = (name: string, state: JsonObject): [string, JsonObject][] => {
  const { ErrorPath, CausePath } = state;
  if (![ErrorPath, CausePath].some((path) => maybeText(path)?.startsWith("States."))) return [[name, state]];
  const said = Object.entries({ Error: ErrorPath, Cause: CausePath }).filter(([, path]) => path !== undefined);
  const after = `${name}: end`;
  return [
    [
      name,
      {
        Type: "Pass",
        Parameters: Object.fromEntries(said.map(([key, path]) => [`${key}.$`, path ?? ""])),
        Next: after,
      },
    ],
    [after, { ...state, ...Object.fromEntries(said.map(([key]) => [`${key}Path`, `$.${key}`])) }],
  ];
};

/** Scaled seconds that are only known when the state is entered: the interpreter waits for a call instead. */
const waitForData =
  (scale: number) =>
  async (parameters: unknown): Promise<null> => {
    const { seconds } = isObject(parameters) ? parameters : {};
    if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < 0)
      throw new TypeError(`a Wait state takes whole seconds; got ${JSON.stringify(seconds)}`);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, Math.min(seconds * scale, longestSeconds) * 1000).unref();
    });
    return null;
  };

/** Seconds are scaled, wherever they are written. Moments are not: a machine may compare them with its clock. */
const scaledWait = (name: string, state: JsonObject, path: string, { waitScale, waits }: Preparation): JsonObject => {
  if (state.Seconds !== undefined) return { Seconds: Math.min(numberOr(state.Seconds, 0) * waitScale, longestSeconds) };
  if (waitScale === 1) return {};
  if (state.SecondsPath === undefined)
    refuse(path, "waits until a moment, so waitScale cannot scale it; write Seconds or SecondsPath");
  waits[name] = waitForData(waitScale);
  return {
    Type: "Task",
    Resource: `local:wait:${name}`,
    Parameters: { "seconds.$": state.SecondsPath ?? "" },
    ResultPath: null,
    TimeoutSeconds: longestSeconds,
  };
};

const prepareState = (name: string, written: JsonObject, preparation: Preparation): JsonObject => {
  const path = `${preparation.machine}: ${name}`;
  if (!stateTypes.includes(String(written.Type))) refuse(path, `is a ${String(written.Type)} state`);
  if (maybeObject(maybeObject(written.ItemProcessor).ProcessorConfig).Mode === "DISTRIBUTED")
    refuse(path, "is a distributed map, which the local cloud does not run");
  if (written.ItemReader !== undefined || written.QueryLanguage !== undefined || written.Assign !== undefined)
    refuse(path, "uses ItemReader, Assign or a query language, which the local cloud does not know");
  const { ResultPath, ...rest } = written;
  const state: JsonObject = {
    ...rest,
    ...(ResultPath === undefined || ResultPath === "$" ? {} : { ResultPath }),
    ...prepareRetries(written, preparation.retryScale),
  };
  for (const nested of ["ItemProcessor", "Iterator"])
    if (isObject(state[nested])) state[nested] = prepareStates(state[nested], preparation);
  if (state.Branches !== undefined)
    state.Branches = maybeList(state.Branches).map((branch) => prepareStates(objectAt(branch, path), preparation));
  if (state.Type === "Wait") Object.assign(state, scaledWait(name, written, path, preparation));
  if (written.Type === "Task") {
    const task = taskOf(name, written, path);
    preparation.tasks.push(task);
    state.TimeoutSeconds = task.timeoutSeconds;
  }
  return state;
};

/**
 * Makes a machine of a template ready to run.
 *
 * @throws {InvalidInputError} the definition is wrong, or uses what the local cloud does not know
 */
export const runnableMachine = (
  machine: DeployedMachine,
  { retryScale = 1, waitScale = 1 }: Scales = {},
): RunnableMachine => {
  const { definition, name } = machine;
  if (definition.QueryLanguage !== undefined && definition.QueryLanguage !== "JSONPath")
    refuse(name, `is written in ${String(definition.QueryLanguage)}; the local cloud runs JSONPath`);
  refuseUnknownPaths(definition, name);
  const tasks: TaskState[] = [];
  const waits: Preparation["waits"] = {};
  const prepared = prepareStates(definition, { machine: name, retryScale, waitScale, tasks, waits });
  try {
    // A copy: the validator adds defaults to what it reads.
    new StateMachine(structuredClone(definition) as unknown as StateMachineDefinition, {
      validationOptions: { checkArn: false },
    });
  } catch (error) {
    throw new InvalidInputError([{ path: name, message: error instanceof Error ? error.message : String(error) }]);
  }
  const interpreter = new StateMachine(prepared as unknown as StateMachineDefinition, {
    validationOptions: { noValidate: true }, // seconds are fractions now
  });
  return { ...machine, tasks, waits, interpreter };
};
