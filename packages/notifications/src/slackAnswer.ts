import { type Answer, isBusy } from "./httpRequest.ts";
import type { MessagePlace } from "./threads.ts";

/** The meaning of Slack's response for the sender. A webhook does not say where its message is. */
export type SlackAnswer = Answer<MessagePlace | undefined>;

/** Temporary failures of Slack, by their error codes in responses with status 200. */
const passing: ReadonlySet<string> = new Set([
  "fatal_error",
  "internal_error",
  "ratelimited",
  "rate_limited",
  "request_timeout",
  "rollup_error",
  "service_unavailable",
  "team_added_to_org",
]);

/** Slack's codes are short lower-case names. Another text, of a proxy for example, is not repeated. */
const codeIn = (text: unknown): string | undefined =>
  typeof text === "string" && /^[a-z][a-z0-9_]{1,63}$/.test(text) ? text : undefined;

const judged = (code: string): SlackAnswer => ({ kind: passing.has(code) ? "later" : "refused", code });

const fieldsOf = (body: string): { readonly [name: string]: unknown } | undefined => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};

/** Reads the response of `chat.postMessage` and `chat.update`: `{"ok":true,"channel","ts"}` or `{"ok":false,"error"}`. */
export const apiAnswer = (status: number, body: string): SlackAnswer => {
  const fields = fieldsOf(body);
  if (fields?.ok === true) {
    const { channel, ts } = fields;
    return typeof channel === "string" && typeof ts === "string"
      ? { kind: "taken", value: { channel, ts } }
      : { kind: "taken", value: undefined };
  }
  const code = codeIn(fields?.error);
  if (isBusy(status)) return { kind: "later", code: code ?? `HTTP status ${status}` };
  if (code !== undefined) return judged(code);
  const other = `HTTP status ${status}, and not a response of Slack`;
  return status < 400 ? { kind: "later", code: other } : { kind: "refused", code: other };
};

/** Reads the response of an incoming webhook: `ok`, or a code as plain text. */
export const webhookAnswer = (status: number, body: string): SlackAnswer => {
  const text = body.trim();
  if (status >= 200 && status < 300 && text === "ok") return { kind: "taken", value: undefined };
  const code = codeIn(text);
  if (isBusy(status)) return { kind: "later", code: code ?? `HTTP status ${status}` };
  if (code !== undefined && status >= 400) return judged(code);
  const other = `HTTP status ${status}, and not a response of Slack`;
  return status < 400 ? { kind: "later", code: other } : { kind: "refused", code: other };
};
