import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ExecutionAbortedError, ExecutionTimeoutError } from "aws-local-stepfunctions";
import { isObject, type Json, type JsonObject } from "./json.ts";
import type { RunnableMachine, TaskState } from "./stateMachine.ts";
import { TaskFailure, type TaskTokens } from "./taskTokens.ts";

export type ExecutionStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";

/** One step of an execution, in the words of GetExecutionHistory. */
export interface HistoryEvent {
  readonly at: Date;
  readonly type: string;
  readonly state?: string;
  readonly input?: Json;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
  /** The service that a task called. */
  readonly resourceType?: string;
}

/** One run of a state machine. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly machine: RunnableMachine;
  /** JSON, as it was given. */
  readonly input: string;
  readonly startedAt: Date;
  readonly status: ExecutionStatus;
  readonly stoppedAt?: Date;
  /** JSON. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly history: readonly HistoryEvent[];
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };
interface Run extends Mutable<Omit<Execution, "history">> {
  readonly history: HistoryEvent[];
  readonly ended: Promise<void>;
  abort: (error: string | undefined, cause: string | undefined) => void;
}

/** Carries out the call of a Task state, without waiting for its token. */
export type CallTask = (execution: Execution, state: TaskState, parameters: JsonObject) => Promise<Json>;

export interface ExecutionsOptions {
  readonly machines: ReadonlyMap<string, RunnableMachine>;
  readonly tokens: TaskTokens;
  readonly callTask: CallTask;
  readonly onChange: (execution: Execution) => void;
  /** Heartbeats' seconds are multiplied by it. */
  readonly heartbeatScale: number;
}

/** What may go from one state to the next. */
export const largestState = 262_144;

const words: Readonly<Record<string, (type: string) => string>> = {
  StateEntered: (type) => `${type}StateEntered`,
  StateExited: (type) => `${type}StateExited`,
  StateFailed: (type) => `${type}Failed`,
  StateRetried: (type) => `${type}Retried`,
  StateCaught: (type) => `${type}Caught`,
};

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? null));

/** Runs the machines of the templates. */
export const executionsOf = (options: ExecutionsOptions) => {
  const { machines, tokens, callTask, onChange, heartbeatScale } = options;
  const all = new Map<string, Run>();
  const byMachine = new Map<string, Run[]>([...machines.keys()].map((arn) => [arn, []]));

  const carryOut = async (
    run: Run,
    state: TaskState,
    parameters: JsonObject,
    token: string | undefined,
  ): Promise<Json> => {
    if (run.status !== "RUNNING") throw new TaskFailure("States.Runtime", "the execution is over");
    const { heartbeatSeconds, timeoutSeconds, waitsForToken } = state;
    if (!waitsForToken || token === undefined) return callTask(run, state, parameters);
    const answered = tokens.wait(token, {
      execution: run.arn,
      machine: run.machine.arn,
      heartbeatMs: heartbeatSeconds === undefined ? undefined : heartbeatSeconds * 1000 * heartbeatScale,
      timeoutMs: timeoutSeconds * 1000,
    });
    answered.catch(() => undefined);
    const [resourceType = ""] = state.integration.split(":");
    const note = (event: Omit<HistoryEvent, "at" | "state" | "resourceType">) =>
      run.history.push({ at: new Date(), state: state.name, resourceType, ...event });
    try {
      note({ type: "TaskSubmitted", output: await callTask(run, state, parameters) });
    } catch (error) {
      tokens.fail(token, "States.Runtime", "the call failed");
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      note({ type: "TaskSubmitFailed", error: name, cause: message });
      throw error;
    }
    return answered;
  };

  const checkedSize = (output: Json): Json => {
    if (Buffer.byteLength(JSON.stringify(output) ?? "null") > largestState)
      throw new TaskFailure(
        "States.DataLimitExceeded",
        "The state/task returned a result with a size exceeding the maximum number of bytes service limit.",
      );
    return output;
  };

  const finish = (run: Run, how: Partial<Mutable<Execution>> & { status: ExecutionStatus }): void => {
    Object.assign(run, how, { stoppedAt: new Date() });
    tokens.abandon(run.arn);
    onChange(run);
  };

  const remember = async (run: Run, events: AsyncIterable<object>): Promise<void> => {
    for await (const event of events as AsyncIterable<Record<string, unknown>>) {
      const { type, timestamp, state, Error: error, Cause: cause, input, output } = event;
      const of = isObject(state) ? state : {};
      run.history.push({
        at: new Date(Number(timestamp)),
        type: words[String(type)]?.(String(of.type)) ?? String(type),
        ...(typeof of.name === "string" ? { state: of.name } : {}),
        ...(of.input === undefined && input === undefined ? {} : { input: (of.input ?? input) as Json }),
        ...(of.output === undefined && output === undefined ? {} : { output: (of.output ?? output) as Json }),
        ...(error === undefined ? {} : { error: textOf(error), cause: textOf(cause) }),
      });
    }
  };

  const interpret = async (run: Run): Promise<void> => {
    let minted: string | undefined;
    // The interpreter resolves a state's parameters and calls its handler in one go, so the last token is the state's own.
    const take = (): string | undefined => {
      const token = minted;
      minted = undefined;
      return token;
    };
    const handlers = Object.fromEntries(
      run.machine.tasks.map((state) => [
        state.name,
        async (parameters: unknown) =>
          checkedSize(await carryOut(run, state, isObject(parameters) ? parameters : {}, take())),
      ]),
    );
    const { abort, result, eventLogs } = run.machine.interpreter.run(JSON.parse(run.input), {
      overrides: { taskResourceLocalHandlers: { ...run.machine.waits, ...handlers } },
      context: {
        Execution: { Id: run.arn, Name: run.name, RoleArn: run.machine.role },
        StateMachine: { Id: run.machine.arn, Name: run.machine.name },
        Task: {
          get Token() {
            minted ??= tokens.mint();
            return minted;
          },
        },
      },
    });
    run.abort = (error, cause) => {
      if (run.status !== "RUNNING") return;
      finish(run, { status: "ABORTED", ...(error ? { error } : {}), ...(cause ? { cause } : {}) });
      abort();
    };
    void remember(run, eventLogs);
    try {
      finish(run, { status: "SUCCEEDED", output: JSON.stringify(await result) });
    } catch (failure) {
      if (run.status !== "RUNNING" || failure instanceof ExecutionAbortedError) return;
      if (failure instanceof ExecutionTimeoutError) return finish(run, { status: "TIMED_OUT" });
      const error = failure instanceof Error && failure.cause instanceof Error ? failure.cause : failure;
      const { name, message } = error instanceof Error ? error : { name: "States.Runtime", message: String(error) };
      finish(run, { status: "FAILED", error: name, cause: message });
    }
  };

  /**
   * Starts an execution. The same name with the same input while it runs is the same execution.
   *
   * @returns the execution, or the reason in the words of Step Functions
   */
  const start = (
    machine: RunnableMachine,
    { name = randomUUID(), input = "{}" }: { readonly name?: string | undefined; readonly input?: string | undefined },
  ): Execution | "ExecutionAlreadyExists" => {
    const arn = `${machine.arn.replace(":stateMachine:", ":execution:")}:${name}`;
    const known = all.get(arn);
    if (known) return known.status === "RUNNING" && known.input === input ? known : "ExecutionAlreadyExists";
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const run: Run = {
      arn,
      name,
      machine,
      input,
      ended,
      startedAt: new Date(),
      status: "RUNNING",
      history: [],
      abort: () => undefined,
    };
    all.set(arn, run);
    byMachine.get(machine.arn)?.push(run);
    onChange(run);
    void interpret(run).finally(resolve);
    return run;
  };

  return {
    start,
    stop: (arn: string, error?: string, cause?: string): Execution | undefined => {
      const run = all.get(arn);
      run?.abort(error, cause);
      return run;
    },
    get: (arn: string): Execution | undefined => all.get(arn),
    /** In the order in which they began. */
    ofMachine: (arn: string): readonly Execution[] | undefined => byMachine.get(arn),
    all: (): readonly Execution[] => [...all.values()],
    /** Resolves once the execution is over, whatever its end. */
    ended: async (arn: string, withinMs: number): Promise<Execution> => {
      const run = all.get(arn);
      if (!run) throw new Error(`there is no execution ${arn}`);
      const waiting = new AbortController();
      const late = sleep(withinMs, "late" as const, { signal: waiting.signal }).catch(() => undefined);
      if ((await Promise.race([run.ended, late])) === "late")
        throw new Error(`${run.name} still runs after ${withinMs} ms; last: ${JSON.stringify(run.history.at(-1))}`);
      waiting.abort();
      return run;
    },
    close: (): void => {
      for (const run of all.values()) run.abort("Local.Closed", "the local cloud was closed");
    },
  };
};

export type Executions = ReturnType<typeof executionsOf>;
