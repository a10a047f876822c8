import { setTimeout } from "node:timers/promises";
import { ControlPlaneUnavailableError, NotificationRefusedError } from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";
import type { SlackAnswer } from "./slackAnswer.ts";
import type { MessagePlace } from "./threads.ts";

/** What sending needs from its environment. */
export interface SlackTransport {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** No attempt starts or waits after this time, for all messages together. */
  readonly deadline: Date;
  /** Time limit of one attempt. */
  readonly attemptSeconds: number;
}

/** The real one. `budgetSeconds` must be less than the time limit of the function that sends. */
export const slackTransport = (budgetSeconds: number): SlackTransport => ({
  fetch,
  now: () => new Date(),
  sleep: (milliseconds) => setTimeout(milliseconds),
  deadline: new Date(Date.now() + budgetSeconds * 1000),
  attemptSeconds: 8,
});

export interface SlackRequest {
  /** The action, for messages: `post to Slack`. */
  readonly purpose: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly read: (status: number, body: string) => SlackAnswer;
  /** What a person must do about a refusal with this code. */
  readonly advice: (code: string) => string;
}

/** `Retry-After` in milliseconds. Slack sends seconds; RFC 9110 allows a date too. */
const askedToWait = (header: string | null, now: Date): number | undefined => {
  if (header === null) return undefined;
  const milliseconds = /^\s*\d{1,9}\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
};

interface Attempt {
  readonly answer: SlackAnswer;
  readonly wait?: number;
}

const attempt = async (request: SlackRequest, transport: SlackTransport, left: number): Promise<Attempt> => {
  const { url, headers, body, read } = request;
  try {
    const response = await transport.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8", ...headers },
      body: JSON.stringify(body),
      redirect: "error", // a server that redirects Slack's address is not Slack
      signal: AbortSignal.timeout(Math.min(transport.attemptSeconds * 1000, left)),
    });
    const wait = askedToWait(response.headers.get("retry-after"), transport.now());
    const answer = read(response.status, await response.text());
    return wait === undefined ? { answer } : { answer, wait };
  } catch (error) {
    // The error itself is dropped: some errors of fetch quote the address, and a webhook's address is a secret.
    return { answer: { kind: "later", code: networkFailureOf(error) ?? "the connection failed" } };
  }
};

/**
 * Sends until the message is accepted or refused, or time is up. Waits for `Retry-After`, at least a second, otherwise 1, 2, 4,
 * 8 s. An attempt whose response was lost is repeated, so Slack may show a message twice; that is better than not at all.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 * @throws {NotificationRefusedError} fatal
 */
export const send = async (request: SlackRequest, transport: SlackTransport): Promise<MessagePlace | undefined> => {
  const timeLeft = (): number => transport.deadline.getTime() - transport.now().getTime();
  const giveUp = (why: string): never => {
    throw new ControlPlaneUnavailableError(`could not ${request.purpose} within the time limit: ${why}`);
  };
  if (timeLeft() <= 0) return giveUp("no time was left");
  for (let tries = 1; ; tries++) {
    const { answer, wait } = await attempt(request, transport, timeLeft());
    if (answer.kind === "taken") return answer.place;
    if (answer.kind === "refused") {
      const { code } = answer;
      throw new NotificationRefusedError(
        `Slack refuses to ${request.purpose} (${code}); ${request.advice(code)}`,
        code,
      );
    }
    const pause = Math.max(wait ?? Math.min(2 ** (tries - 1), 8) * 1000, 1000);
    if (pause >= timeLeft()) {
      return giveUp(`${answer.code}${wait === undefined ? "" : `, wait ${Math.ceil(wait / 1000)} s`}, ${tries} tries`);
    }
    await transport.sleep(pause);
  }
};
