import { randomBytes } from "node:crypto";
import type { Json } from "./json.ts";

/** A failure of a task by the name that `Retry` and `Catch` see. */
export class TaskFailure extends Error {
  override readonly name: string;
  /** Read by the interpreter: the two names that `States.ALL` does not stand for. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
    this.isRetryable = name !== "States.Runtime" && name !== "States.DataLimitExceeded";
    this.isCatchable = this.isRetryable;
  }
}

/** A state that waits for somebody to answer its token. */
interface Waiting {
  readonly execution: string;
  readonly machine: string;
  readonly resolve: (output: Json) => void;
  readonly reject: (failure: TaskFailure) => void;
  readonly beat: () => void;
}

export type TokenAnswer = "accepted" | "TaskTimedOut" | "InvalidToken";

/** Tokens of states that wait. One that was answered, ran out or whose execution ended answers `TaskTimedOut` for ever. */
export const taskTokens = () => {
  const waiting = new Map<string, Waiting>();
  const over = new Map<string, string>();
  const ofExecution = new Map<string, Set<string>>();

  const forget = (token: string): Waiting | undefined => {
    const state = waiting.get(token);
    if (!state) return undefined;
    waiting.delete(token);
    ofExecution.get(state.execution)?.delete(token);
    over.set(token, state.machine);
    return state;
  };
  const missing = (token: string): TokenAnswer => (over.has(token) ? "TaskTimedOut" : "InvalidToken");

  return {
    /** As long as AWS's own, so that whoever has too little room for one notices here. */
    mint: (): string => randomBytes(510).toString("base64"),

    /**
     * Waits for the token's answer.
     *
     * @param heartbeatMs without a sign of life for so long the task fails as `States.HeartbeatTimeout`
     * @param timeoutMs after so long the token is worth nothing; the interpreter fails the state by itself
     */
    wait: (
      token: string,
      {
        execution,
        machine,
        heartbeatMs,
        timeoutMs,
      }: {
        readonly execution: string;
        readonly machine: string;
        readonly heartbeatMs: number | undefined;
        readonly timeoutMs: number;
      },
    ): Promise<Json> =>
      new Promise((resolve, reject) => {
        const lost = () => {
          clearTimeout(whole);
          forget(token);
          reject(new TaskFailure("States.HeartbeatTimeout", "Task heartbeat timed out"));
        };
        const whole = setTimeout(() => {
          clearTimeout(silence);
          forget(token);
        }, timeoutMs);
        let silence = heartbeatMs === undefined ? undefined : setTimeout(lost, heartbeatMs);
        const settled = () => {
          clearTimeout(whole);
          clearTimeout(silence);
        };
        waiting.set(token, {
          execution,
          machine,
          resolve: (output) => {
            settled();
            resolve(output);
          },
          reject: (failure) => {
            settled();
            reject(failure);
          },
          beat: () => {
            if (heartbeatMs === undefined) return;
            clearTimeout(silence);
            silence = setTimeout(lost, heartbeatMs);
          },
        });
        const tokens = ofExecution.get(execution) ?? new Set();
        ofExecution.set(execution, tokens.add(token));
      }),

    succeed: (token: string, output: Json): TokenAnswer => {
      const state = forget(token);
      state?.resolve(output);
      return state ? "accepted" : missing(token);
    },
    fail: (token: string, error: string, cause: string): TokenAnswer => {
      const state = forget(token);
      state?.reject(new TaskFailure(error, cause));
      return state ? "accepted" : missing(token);
    },
    heartbeat: (token: string): TokenAnswer => {
      const state = waiting.get(token);
      state?.beat();
      return state ? "accepted" : missing(token);
    },
    /** Also of a token that is worth nothing any more: rights are asked for first. */
    machineOf: (token: string): string | undefined => waiting.get(token)?.machine ?? over.get(token),
    executionOf: (token: string): string | undefined => waiting.get(token)?.execution,
    /** The execution is over; whoever still works for it learns so at its next heartbeat. */
    abandon: (execution: string): void => {
      for (const token of ofExecution.get(execution) ?? [])
        forget(token)?.reject(new TaskFailure("States.Runtime", "the execution is over"));
      ofExecution.delete(execution);
    },
  };
};

export type TaskTokens = ReturnType<typeof taskTokens>;
