import {
  InvalidToken,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  TaskDoesNotExist,
  TaskTimedOut,
} from "@aws-sdk/client-sfn";
import { UnexpectedError } from "@openemr-ops/core/errors";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

/** `gone`: no workflow waits for this token: the workflow ended, or the token was used or never existed. */
export type TokenAnswer = "taken" | "gone";

/** Reports of a task to its workflow. Errors: those of the control plane. */
export interface TaskTokens {
  /** @throws {UnexpectedError} fatal: the output is larger than a workflow accepts; nothing was sent */
  succeed(token: string, output: unknown): Promise<TokenAnswer>;
  /** Texts that are too long for Step Functions are cut. */
  fail(token: string, failure: { readonly name: string; readonly message: string }): Promise<TokenAnswer>;
  heartbeat(token: string): Promise<TokenAnswer>;
}

/** Limits of Step Functions. Source: docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html. */
const outputBytes = 256 * 1024;
const causeBytes = 32 * 1024;
const errorCharacters = 256;

/** The beginning of a text that fits, in whole characters. */
const cut = (text: string, bytes: number): string => {
  const encoded = Buffer.from(text);
  if (encoded.byteLength <= bytes) return text;
  let end = bytes - 3; // room for the ellipsis
  while (((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${encoded.toString("utf8", 0, end)}…`;
};

/** Task tokens of Step Functions. */
export const taskTokens = (settings: { readonly client?: Pick<SFNClient, "send"> } = {}): TaskTokens => {
  const client = onFirstUse(() => settings.client ?? new SFNClient(clientSettings));
  const answer = async (sent: Promise<unknown>, call: string): Promise<TokenAnswer> => {
    try {
      await sent;
      return "taken";
    } catch (error) {
      if (error instanceof TaskTimedOut || error instanceof TaskDoesNotExist || error instanceof InvalidToken)
        return "gone";
      throw controlPlaneFailure(error, `${call} to the workflow`, `states:${call} on its state machine`);
    }
  };
  return {
    succeed: async (taskToken, output) => {
      const text = JSON.stringify(output);
      const size = Buffer.byteLength(text);
      if (size > outputBytes)
        throw new UnexpectedError(`the result has ${size} bytes; a workflow accepts at most ${outputBytes}`);
      return answer(client().send(new SendTaskSuccessCommand({ taskToken, output: text })), "SendTaskSuccess");
    },
    fail: (taskToken, { name, message }) => {
      const failure = { error: name.slice(0, errorCharacters), cause: cut(message, causeBytes) };
      return answer(client().send(new SendTaskFailureCommand({ taskToken, ...failure })), "SendTaskFailure");
    },
    heartbeat: (taskToken) => answer(client().send(new SendTaskHeartbeatCommand({ taskToken })), "SendTaskHeartbeat"),
  };
};
