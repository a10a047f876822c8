import * as errors from "@openemr-ops/core/errors";
import type { NamedFailure } from "@openemr-ops/events/workflowSteps";

const families = new Set(["OpsError", "RetryableError", "FatalError", "RefusedError", "DamagedError"]);
const ourNames = new Set(Object.keys(errors).filter((name) => /^[A-Z]\w*Error$/.test(name) && !families.has(name)));

/** Whether a name is one of `packages/core/src/errors.ts`, whose messages hold no secret. */
export const isOurs = (name: string | undefined): name is string => name !== undefined && ourNames.has(name);

const longestMessage = 1000;

/** The message in what a Lambda says when it throws, `{ "errorMessage": … }`, or the text as it is; its first line. */
const messageIn = (cause: string): string => {
  let text = cause;
  try {
    const said: unknown = JSON.parse(cause);
    if (typeof said === "object" && said !== null && "errorMessage" in said && typeof said.errorMessage === "string")
      text = said.errorMessage;
  } catch {
    // a container's own words
  }
  const [line = ""] = text.trim().split(/[\r\n]/, 1);
  return line.length > longestMessage ? `${line.slice(0, longestMessage - 1)}…` : line;
};

/** A foreign error's name is a word of AWS's; anything longer or odder is none. */
const wordOf = (name: string | undefined): string => (name && /^[\w.]{1,128}$/.test(name) ? ` (${name})` : "");

/**
 * The name and the message under which a job failed. Our own pass; what AWS calls its failures gets the name of ours that
 * fits. Foreign words may repeat input or show code, so they stay in the execution's history.
 *
 * @param name what Step Functions calls `Error`
 * @param cause what it calls `Cause`
 */
export const nameFailure = (name: string | undefined, cause = ""): NamedFailure => {
  if (isOurs(name)) return { name, message: messageIn(cause) || "no more is known; see the execution" };
  if (name === "States.HeartbeatTimeout")
    return { name: "TaskLostError", message: "the task was not heard of for longer than it may be silent" };
  if (name === "States.Timeout")
    return { name: "JobTimeoutError", message: "a step of the workflow took longer than it may" };
  if (name !== undefined && /^(Amazon)?ECS\./.test(name))
    return {
      name: "TaskNotStartedError",
      message: `the container service did not start the task${wordOf(name)}; see the execution for its reason`,
    };
  return { name: "UnexpectedError", message: `a step of the workflow failed${wordOf(name)}; see the execution` };
};
