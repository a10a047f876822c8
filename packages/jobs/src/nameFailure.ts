import * as errors from "@openemr-ops/core/errors";
import type { NamedFailure } from "@openemr-ops/events/workflowSteps";

const families = new Set(["OpsError", "RetryableError", "FatalError", "RefusedError", "DamagedError"]);
const ourNames = new Set(Object.keys(errors).filter((name) => /^[A-Z]\w*Error$/.test(name) && !families.has(name)));

/** Whether a name is one of `packages/core/src/errors.ts`, whose messages hold no secret. */
export const isOurs = (name: string | undefined): name is string => name !== undefined && ourNames.has(name);

const longestMessage = 1000;

/** The first line of the message of a Lambda's error, `{ "errorMessage": … }`, or of the text itself. */
const messageIn = (cause: string): string => {
  let text = cause;
  try {
    const said: unknown = JSON.parse(cause);
    if (typeof said === "object" && said !== null && "errorMessage" in said && typeof said.errorMessage === "string")
      text = said.errorMessage;
  } catch {
    // a container's own message
  }
  const [line = ""] = text.trim().split(/[\r\n]/, 1);
  return line.length > longestMessage ? `${line.slice(0, longestMessage - 1)}…` : line;
};

/** An AWS error's name in parentheses; empty for a text that is not a name. */
const wordOf = (name: string | undefined): string => (name && /^[\w.]{1,128}$/.test(name) ? ` (${name})` : "");

/**
 * The name and the message of a job's failure. Our own errors keep theirs; an AWS error gets the matching name of ours.
 * Its message may quote input or code, so it stays in the execution's history.
 *
 * @param name what Step Functions calls `Error`
 * @param cause what it calls `Cause`
 */
export const nameFailure = (name: string | undefined, cause = ""): NamedFailure => {
  if (isOurs(name)) return { name, message: messageIn(cause) || "no details are known; see the execution" };
  if (name === "States.HeartbeatTimeout")
    return { name: "TaskLostError", message: "the task sent no heartbeat within its time limit" };
  if (name === "States.Timeout")
    return { name: "JobTimeoutError", message: "a step of the workflow ran longer than its time limit" };
  if (name !== undefined && /^(Amazon)?ECS\./.test(name))
    return {
      name: "TaskNotStartedError",
      message: `the container service did not start the task${wordOf(name)}; see the execution for the reason`,
    };
  return { name: "UnexpectedError", message: `a step of the workflow failed${wordOf(name)}; see the execution` };
};
