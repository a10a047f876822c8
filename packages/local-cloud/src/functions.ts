import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, cpSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DeployedFunction } from "./deployment.ts";
import type { Json } from "./json.ts";

/** What an invocation came to: a payload, or an error as AWS's runtime words it. */
export type Invoked =
  | { readonly payload: Json }
  | {
      readonly error: { readonly errorType: string; readonly errorMessage: string; readonly trace?: readonly string[] };
    };

/** The end of an asynchronous invocation. */
export type AsyncOutcome = "succeeded" | "failed";

export interface FunctionHostOptions {
  /** Bundles are copied below it, away from every `node_modules`; logs go there too. */
  readonly directory: string;
  readonly environmentOf: (fn: DeployedFunction) => Readonly<Record<string, string>>;
  /** An error to answer instead of running the function. */
  readonly faultOf: (fn: DeployedFunction) => Error | undefined;
  /** A message for the queue with this ARN. */
  readonly sendTo: (queue: string, body: Json, of: DeployedFunction) => Promise<void>;
  /** Minutes between the attempts of an asynchronous invocation are multiplied by it. */
  readonly retryScale: number;
  /** Processes of one function and of all together. */
  readonly parallel: number;
  readonly processes: number;
}

interface Instance {
  readonly child: ChildProcess;
  readonly fn: DeployedFunction;
  busy: boolean;
  usedAt: number;
}

const bootstrap = join(import.meta.dirname, "functionBootstrap.ts");
const largestAnswer = 6 * 1024 * 1024;
const secondsBetweenAttempts = [60, 120];

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

const isAlive = ({ connected, exitCode, signalCode, killed }: ChildProcess): boolean =>
  connected && exitCode === null && signalCode === null && !killed;

/** Runs functions, each in processes of its own: clean environment, bundle as synthesised, reused between invocations. */
export const functionHost = (options: FunctionHostOptions) => {
  const { directory, environmentOf, faultOf, parallel, processes, retryScale, sendTo } = options;
  const instances = new Set<Instance>();
  const queues = new Map<string, (() => void)[]>();
  const copied = new Map<string, string>();
  let closed = false;
  mkdirSync(join(directory, "functions"), { recursive: true });
  mkdirSync(join(directory, "logs"), { recursive: true });

  const codeOf = (fn: DeployedFunction): string => {
    const known = copied.get(fn.code);
    if (known) return known;
    const copy = join(directory, "functions", fn.name);
    cpSync(fn.code, copy, { recursive: true });
    copied.set(fn.code, copy);
    return copy;
  };

  const start = (fn: DeployedFunction): Instance => {
    const log = openSync(join(directory, "logs", `${fn.name}.log`), "a", 0o600);
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", bootstrap], {
      cwd: codeOf(fn),
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        ...fn.environment,
        ...environmentOf(fn),
        _HANDLER: fn.handler,
        AWS_LAMBDA_FUNCTION_NAME: fn.name,
        AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMegabytes),
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
        AWS_LAMBDA_LOG_STREAM_NAME: "local",
        AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
        LOCAL_FUNCTION_ARN: fn.arn,
        TZ: ":UTC",
      },
      stdio: ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    running.add(child);
    const instance = { child, fn, busy: true, usedAt: Date.now() };
    instances.add(instance);
    child.once("exit", () => {
      running.delete(child);
      instances.delete(instance);
      freed(fn);
    });
    child.on("error", () => undefined);
    return instance;
  };

  /** A place became free: first for who waits for this function, then for whoever can use it. */
  const freed = (fn: DeployedFunction): void => {
    const own = queues.get(fn.arn)?.shift();
    if (own) own();
    else for (const waiting of queues.values()) waiting.shift()?.();
  };

  const takeInstance = async (fn: DeployedFunction): Promise<Instance> => {
    for (;;) {
      if (closed) throw new Error("the local cloud is closed");
      let ofFunction = 0;
      let idle: Instance | undefined;
      for (const instance of instances) {
        if (instance.fn === fn) {
          if (!instance.busy && isAlive(instance.child)) {
            instance.busy = true;
            return instance;
          }
          ofFunction++;
        } else if (!instance.busy && (!idle || instance.usedAt < idle.usedAt)) idle = instance;
      }
      if (ofFunction < parallel) {
        if (instances.size < processes) return start(fn);
        if (idle) {
          instances.delete(idle);
          if (idle.child.connected) idle.child.disconnect();
          return start(fn);
        }
      }
      await new Promise<void>((resolve) => {
        const waiting = queues.get(fn.arn) ?? [];
        queues.set(fn.arn, waiting);
        waiting.push(resolve);
      });
    }
  };

  /** `gone`: the process had ended before it received the event. */
  const call = (instance: Instance, requestId: string, event: Json): Promise<Invoked | "gone"> =>
    new Promise((resolve) => {
      const { child, fn } = instance;
      const deadline = Date.now() + fn.timeoutSeconds * 1000;
      const end = (invoked: Invoked | "gone") => {
        clearTimeout(timer);
        child.off("message", onMessage);
        child.off("exit", onExit);
        resolve(invoked);
      };
      const onMessage = (message: { requestId?: string; payload?: string; error?: string }) => {
        if (message.requestId !== requestId) return;
        if (message.error !== undefined) return end({ error: JSON.parse(message.error) });
        const payload = message.payload ?? "null";
        if (Buffer.byteLength(payload) > largestAnswer)
          return end({
            error: { errorType: "Function.ResponseSizeTooLarge", errorMessage: "Response payload size exceeded" },
          });
        end({ payload: JSON.parse(payload) });
      };
      const onExit = (code: number | null, signal: string | null) =>
        end({
          error: {
            errorType: "Runtime.ExitError",
            errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${signal ? `signal: ${signal}` : `exit status ${code}`}`,
          },
        });
      const timer = setTimeout(() => {
        child.off("exit", onExit);
        instances.delete(instance); // it ends now, and serves nobody else meanwhile
        child.kill("SIGKILL");
        end({
          error: {
            errorType: "Sandbox.Timedout",
            errorMessage: `RequestId: ${requestId} Error: Task timed out after ${fn.timeoutSeconds}.00 seconds`,
          },
        });
      }, fn.timeoutSeconds * 1000);
      child.on("message", onMessage);
      child.once("exit", onExit);
      child.send({ requestId, event, deadline }, (error) => error && end("gone"));
    });

  /** Runs the function and waits for its answer. Never throws for what the function does. */
  const invoke = async (fn: DeployedFunction, event: Json): Promise<Invoked> => {
    const fault = faultOf(fn);
    if (fault) return { error: { errorType: fault.name, errorMessage: fault.message, trace: [] } };
    for (;;) {
      const instance = await takeInstance(fn);
      try {
        const invoked = await call(instance, randomUUID(), event);
        if (invoked !== "gone") return invoked;
        instances.delete(instance);
      } finally {
        instance.busy = false;
        instance.usedAt = Date.now();
        freed(fn);
      }
    }
  };

  const envelope = (fn: DeployedFunction, event: Json, invoked: Invoked, attempts: number): Json => ({
    version: "1.0",
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId: randomUUID(),
      functionArn: `${fn.arn}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: attempts,
    },
    requestPayload: event,
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: "error" in invoked ? { ...invoked.error, trace: [...(invoked.error.trace ?? [])] } : null,
  });

  /**
   * Runs the function as EventBridge and Scheduler do: retried after one and two minutes, then sent to its dead-letter
   * queue (the event as it was) and its destination for failures (the event in an envelope).
   */
  const invokeLater = async (fn: DeployedFunction, event: Json): Promise<AsyncOutcome> => {
    for (let attempt = 1; ; attempt++) {
      const invoked = await invoke(fn, event);
      if ("payload" in invoked) return "succeeded";
      if (attempt > fn.retries) {
        if (fn.deadLetterQueue) await sendTo(fn.deadLetterQueue, event, fn);
        if (fn.onFailure) await sendTo(fn.onFailure, envelope(fn, event, invoked, attempt), fn);
        return "failed";
      }
      await sleep((secondsBetweenAttempts[attempt - 1] ?? 120) * 1000 * retryScale, undefined, { ref: false });
    }
  };

  const close = async (): Promise<void> => {
    closed = true;
    const ends = [...instances].map(
      ({ child }) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve();
          child.once("exit", () => resolve());
          child.kill("SIGKILL");
        }),
    );
    await Promise.all(ends);
  };

  return { invoke, invokeLater, close };
};

export type FunctionHost = ReturnType<typeof functionHost>;
