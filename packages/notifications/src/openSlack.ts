import { ControlPlaneUnavailableError, InvalidInputError } from "@openemr-ops/core/errors";
import type { SlackMessage } from "./blocks.ts";
import { type HttpTransport, secretUrl, send } from "./httpRequest.ts";
import type { Slack } from "./slack.ts";
import { apiAnswer, type SlackAnswer, webhookAnswer } from "./slackAnswer.ts";

/** How to send messages to Slack. No error message contains these secrets. */
export type SlackAccess =
  /** Address of an incoming webhook. Anyone who has it can post. */
  | { readonly kind: "webhook"; readonly url: string }
  /** `api`: default is Slack's own. `channel`: its identifier. */
  | { readonly kind: "bot"; readonly token: string; readonly channel: string; readonly api?: string };

const refuse = (message: string): never => {
  throw new InvalidInputError([{ path: "notifications.slack", message }]);
};

const adviceFor = (code: string, channel: string | undefined): string => {
  if (/^(invalid_auth|not_authed|account_inactive|token_|no_service|no_active_hooks|invalid_token|no_team)/.test(code))
    return "put a valid bot token, or the address of an existing webhook, into the secret";
  if (/^(not_in_channel|channel_not_found|is_archived|channel_is_archived)/.test(code))
    return `check that the channel ${channel ?? "of the webhook"} exists, and invite the bot to it`;
  if (
    /^(missing_scope|not_allowed_token_type|no_permission|access_denied|restricted_action|action_prohibited)/.test(code)
  )
    return "give the app the scope chat:write, and check who may post to the channel";
  return "look the code up in Slack's documentation of chat.postMessage";
};

const content = ({ text, blocks }: SlackMessage) => ({ text, blocks, unfurl_links: false, unfurl_media: false });

interface SlackPost {
  readonly purpose: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly read: (status: number, body: string) => SlackAnswer;
  readonly channel?: string;
}

const postTo = ({ purpose, url, headers = {}, body, read, channel }: SlackPost, transport: HttpTransport) =>
  send(
    {
      receiver: "Slack",
      purpose,
      url,
      headers: { "content-type": "application/json; charset=utf-8", ...headers },
      body: JSON.stringify(body),
      read,
      advice: (code) => adviceFor(code, channel),
      unavailable: (message) => new ControlPlaneUnavailableError(message),
    },
    transport,
  );

const webhook = (url: string, transport: HttpTransport): Slack => {
  const { href } = secretUrl(url, "the webhook in the secret", "notifications.slack");
  const purpose = "post to Slack's webhook";
  return {
    post: (message) => postTo({ purpose, url: href, body: content(message), read: webhookAnswer }, transport),
  };
};

type BotAccess = Extract<SlackAccess, { kind: "bot" }>;

const callerOf = (access: BotAccess, transport: HttpTransport) => {
  const { token, channel, api = "https://slack.com/api/" } = access;
  const base = secretUrl(api.endsWith("/") ? api : `${api}/`, "the address of Slack's API", "notifications.slack");
  if (!/^[\x21-\x7e]+$/.test(token)) return refuse("the secret does not contain a bot token");
  return (method: string, purpose: string, body: unknown) =>
    postTo(
      {
        purpose,
        url: new URL(method, base).href,
        headers: { authorization: `Bearer ${token}` },
        body,
        read: apiAnswer,
        channel,
      },
      transport,
    );
};

/** Asks Slack whose token this is; throws as `Slack.post` does. */
export const authorOf = async (access: BotAccess, transport: HttpTransport): Promise<void> => {
  await callerOf(access, transport)("auth.test", "check the token with Slack", {});
};

const bot = (access: BotAccess, transport: HttpTransport): Slack => {
  const call = callerOf(access, transport);
  return {
    post: async (message, answer) => {
      const thread = answer ? { thread_ts: answer.to.ts, reply_broadcast: answer.broadcast } : {};
      const body = { channel: answer?.to.channel ?? access.channel, ...content(message), ...thread };
      return call("chat.postMessage", "post to Slack", body);
    },
    update: async ({ channel: where, ts }, { text, blocks }) => {
      await call("chat.update", "change a message in Slack", { channel: where, ts, text, blocks });
    },
  };
};

/** @throws {InvalidInputError} the webhook or the API's address is not an address, or not encrypted */
export const openSlack = (access: SlackAccess, transport: HttpTransport): Slack =>
  access.kind === "webhook" ? webhook(access.url, transport) : bot(access, transport);
