import { setTimeout } from "node:timers/promises";
import { ControlPlaneUnavailableError, NotificationRefusedError } from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";
import type { SlackAnswer } from "./slackAnswer.ts";
import type { MessagePlace } from "./threads.ts";

/** What sending takes from its surroundings. */
export interface SlackTransport {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Nothing begins or waits beyond this moment, however many messages are sent. */
  readonly deadline: Date;
  /** One attempt may take so long. */
  readonly attemptSeconds: number;
}

/** The real one, with an end after so many seconds: less than the function that sends may run. */
export const slackTransport = (budgetSeconds: number): SlackTransport => ({
  fetch,
  now: () => new Date(),
  sleep: (milliseconds) => setTimeout(milliseconds),
  deadline: new Date(Date.now() + budgetSeconds * 1000),
  attemptSeconds: 8,
});

export interface SlackRequest {
  /** What is being done, for messages: `post to Slack`. */
  readonly purpose: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly read: (status: number, body: string) => SlackAnswer;
  /** What a person does about a refusal with this code. */
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
      redirect: "error", // whoever redirects Slack's address is not Slack
      signal: AbortSignal.timeout(Math.min(transport.attemptSeconds * 1000, left)),
    });
    const wait = askedToWait(response.headers.get("retry-after"), transport.now());
    const answer = read(response.status, await response.text());
    return wait === undefined ? { answer } : { answer, wait };
  } catch (error) {
    // The error itself is dropped: some of fetch's quote the address, and a webhook's address is a secret.
    return { answer: { kind: "later", code: networkFailureOf(error) ?? "the connection failed" } };
  }
};

/**
 * Sends until it is taken, refused, or time is up. Waits as long as `Retry-After` says, a second at least, else 1, 2, 4, 8 s. An attempt whose
 * answer got lost is repeated, so Slack may show a message twice; that is better than not at all.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 * @throws {NotificationRefusedError} fatal
 */
export const send = async (request: SlackRequest, transport: SlackTransport): Promise<MessagePlace | undefined> => {
  const timeLeft = (): number => transport.deadline.getTime() - transport.now().getTime();
  const giveUp = (why: string): never => {
    throw new ControlPlaneUnavailableError(`could not ${request.purpose} in the time there was: ${why}`);
  };
  if (timeLeft() <= 0) return giveUp("nothing was left of it");
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
