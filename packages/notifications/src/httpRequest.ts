import { setTimeout } from "node:timers/promises";
import { InvalidInputError, NotificationRefusedError, type OpsError } from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";

/** What sending needs from its environment. */
export interface HttpTransport {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** No attempt starts or waits after this time, for all messages together. */
  readonly deadline: Date;
  /** Time limit of one attempt. */
  readonly attemptSeconds: number;
}

/** The real one. `budgetSeconds` must be less than the time limit of the function that sends. */
export const httpTransport = (budgetSeconds: number): HttpTransport => ({
  fetch,
  now: () => new Date(),
  sleep: (milliseconds) => setTimeout(milliseconds),
  deadline: new Date(Date.now() + budgetSeconds * 1000),
  attemptSeconds: 8,
});

/** The meaning of a response. */
export type Answer<Taken> =
  | { readonly kind: "taken"; readonly value: Taken }
  /** A further attempt may succeed. `code`: the receiver's own, or the status in words. */
  | { readonly kind: "later"; readonly code: string }
  | { readonly kind: "refused"; readonly code: string };

export interface HttpRequest<Taken> {
  /** Who receives, for messages: `Slack`. */
  readonly receiver: string;
  /** The action, for messages: `post to Slack`. */
  readonly purpose: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Posted; not set, the address is requested with GET. */
  readonly body?: string;
  readonly read: (status: number, body: string) => Answer<Taken>;
  /** What a person must do about a refusal with this code. */
  readonly advice: (code: string) => string;
  /** The error of a receiver that accepted nothing in time. */
  readonly unavailable: (message: string) => OpsError;
}

/** Whether a status asks for another attempt. */
export const isBusy = (status: number): boolean => status === 408 || status === 429 || status >= 500;

const isLoopback = ({ hostname }: URL): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);

/** An address of a private network (RFC 1918), or a name without a domain. */
const isPrivate = ({ hostname }: URL): boolean =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)[\d.]+$/.test(hostname) || /^[a-z0-9-]+$/i.test(hostname);

/**
 * An address that opens something, and so is a secret: encrypted, except for a receiver on this machine.
 *
 * @param what for messages, such as `the webhook in the secret`
 * @param plain where else an address need not be encrypted
 * @throws {InvalidInputError} fatal: names `field`, never the address
 */
export const secretUrl = (url: string, what: string, field: string, plain?: "private network"): URL => {
  const refuse = (problem: string): never => {
    throw new InvalidInputError([{ path: field, message: `${what} is ${problem}` }]);
  };
  const parsed = URL.parse(url);
  if (parsed === null || parsed.username !== "" || parsed.password !== "")
    return refuse("not an address; expected one that begins with https://");
  if (parsed.protocol === "https:") return parsed;
  const near = isLoopback(parsed) || (plain !== undefined && isPrivate(parsed));
  if (parsed.protocol === "http:" && near) return parsed;
  return refuse("not encrypted; expected an address that begins with https://");
};

/** `Retry-After` in milliseconds. Slack sends seconds; RFC 9110 allows a date too. */
const askedToWait = (header: string | null, now: Date): number | undefined => {
  if (header === null) return undefined;
  const milliseconds = /^\s*\d{1,9}\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
};

interface Attempt<Taken> {
  readonly answer: Answer<Taken>;
  readonly wait?: number;
}

const attempt = async <Taken>(
  request: HttpRequest<Taken>,
  transport: HttpTransport,
  left: number,
): Promise<Attempt<Taken>> => {
  const { url, headers, body, read } = request;
  try {
    const response = await transport.fetch(url, {
      headers,
      ...(body === undefined ? { method: "GET" } : { method: "POST", body }),
      redirect: "manual", // the address is a secret: it goes to nobody else
      signal: AbortSignal.timeout(Math.min(transport.attemptSeconds * 1000, left)),
    });
    const wait = askedToWait(response.headers.get("retry-after"), transport.now());
    const answer = read(response.status, await response.text());
    return wait === undefined ? { answer } : { answer, wait };
  } catch (error) {
    // The error itself is dropped: some errors of fetch quote the address.
    return { answer: { kind: "later", code: networkFailureOf(error) ?? "the connection failed" } };
  }
};

/**
 * Sends until the message is accepted or refused, or time is up. Waits for `Retry-After`, at least a second, otherwise 1, 2, 4,
 * 8 s. An attempt whose response was lost is repeated, so people may read a message twice; that is better than not at all.
 *
 * @throws {NotificationRefusedError} fatal
 * @throws what `request.unavailable` makes
 */
export const send = async <Taken>(request: HttpRequest<Taken>, transport: HttpTransport): Promise<Taken> => {
  const timeLeft = (): number => transport.deadline.getTime() - transport.now().getTime();
  const giveUp = (why: string): never => {
    throw request.unavailable(`could not ${request.purpose} within the time limit: ${why}`);
  };
  if (timeLeft() <= 0) return giveUp("no time was left");
  for (let tries = 1; ; tries++) {
    const { answer, wait } = await attempt(request, transport, timeLeft());
    if (answer.kind === "taken") return answer.value;
    if (answer.kind === "refused") {
      const { code } = answer;
      throw new NotificationRefusedError(
        `${request.receiver} refuses to ${request.purpose} (${code}); ${request.advice(code)}`,
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
