import type { TaskTokens, TokenAnswer } from "@openemr-ops/aws/taskTokens";
import { JobAbortedError, RetryableError } from "@openemr-ops/core/errors";
import pRetry from "p-retry";
import type { WorkflowPlace } from "./place.ts";

/** The connection to a workflow that waits for a task token. */
export interface TokenLine {
  /** The workflow no longer waits. */
  isGone(): boolean;
  /** Sends one heartbeat. One that fails is no failure of the work. */
  beat(): Promise<void>;
  /**
   * Sends the report or the failure. If the service does not accept it now, it is sent again for five minutes: hours of
   * work may depend on it.
   *
   * @throws what the service answered last
   */
  answer(send: (token: string) => Promise<TokenAnswer>): Promise<void>;
  /** Ends the heartbeats. */
  [Symbol.dispose](): void;
}

/** Pauses of 1, 2, 4, 8, 16 and then 30 seconds: five minutes in all. */
const patience = { retries: 14, minTimeout: 1000, maxTimeout: 30_000 };

/** For messages: an error's text may repeat what was sent. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

/** @param lose called once, when the workflow no longer waits */
export const openTokenLine = (
  { token, heartbeatSeconds }: Pick<WorkflowPlace, "token" | "heartbeatSeconds">,
  tokens: TaskTokens,
  warn: (message: string) => void,
  lose: (error: JobAbortedError) => void,
): TokenLine => {
  let gone = false;
  let answered = false; // from then on no heartbeat is accepted
  const workflowGone = (): void => {
    gone = true;
    lose(new JobAbortedError("the workflow no longer waits for this job: it was stopped, or it timed out"));
  };
  const beat = async (): Promise<void> => {
    try {
      if ((await tokens.heartbeat(token)) === "gone" && !answered) workflowGone();
    } catch (error) {
      warn(`the workflow was not reached with a heartbeat (${nameOf(error)})`);
    }
  };
  let beating = false;
  const timer = setInterval(() => {
    if (beating || gone) return;
    beating = true;
    void beat().finally(() => {
      beating = false;
    });
  }, heartbeatSeconds * 1000);

  return {
    isGone: () => gone,
    beat,
    answer: async (send) => {
      const answer = await pRetry(() => send(token), {
        ...patience,
        shouldRetry: ({ error }) => {
          if (!(error instanceof RetryableError)) return false;
          warn(`the workflow was not reached (${error.name}); trying again`);
          return true;
        },
      });
      if (answer === "gone") workflowGone();
      else answered = true;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
};
