import {
  ControlPlaneUnavailableError,
  InvalidInputError,
  NotificationRefusedError,
  type OpsError,
} from "@openemr-ops/core/errors";
import type { HttpTransport } from "@openemr-ops/notifications/httpRequest";
import { openSlack, type SlackAccess } from "@openemr-ops/notifications/openSlack";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../support/manualClock.ts";

const token = "xoxb-canary-7f21";
const webhookUrl = "https://hooks.slack.com/services/T000/B000/canary-7f21";
const bot: SlackAccess = { kind: "bot", token, channel: "C0123456789" };
const webhook: SlackAccess = { kind: "webhook", url: webhookUrl };
const message = { text: "Dump of clinic-a is running", blocks: [] };
const place = { channel: "C0123456789", ts: "1763692204.000100" };
const taken = () => Response.json({ ok: true, ...place });

type Answer = () => Response | Error;

/** A network that gives these answers in turn, the last one again and again; each attempt takes a second. */
const network = (answers: readonly [Answer, ...Answer[]], budgetSeconds = 40) => {
  const clock = manualClock();
  const requests: { readonly url: string; readonly init: RequestInit }[] = [];
  const waits: number[] = [];
  const transport: HttpTransport = {
    now: clock.now,
    deadline: new Date(clock.now().getTime() + budgetSeconds * 1000),
    attemptSeconds: 8,
    sleep: async (milliseconds) => {
      waits.push(milliseconds / 1000);
      clock.advance(milliseconds / 1000);
    },
    fetch: async (url, init = {}) => {
      clock.advance(1);
      requests.push({ url: String(url), init });
      const answer = (answers[requests.length - 1] ?? answers.at(-1) ?? answers[0])();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { transport, requests, waits, body: (index = 0) => JSON.parse(String(requests[index]?.init.body)) };
};

const failureOf = async (work: Promise<unknown>): Promise<OpsError & { readonly code?: string }> =>
  work.then(
    () => expect.unreachable("it succeeded"),
    (error) => error,
  );

/** An error's texts, causes included: what a log would show. */
const everythingIn = (error: unknown): string =>
  error instanceof Error ? `${error.stack} ${JSON.stringify(error)} ${everythingIn(error.cause)}` : String(error);

describe("a bot in Slack", () => {
  it("posts to its channel and learns where the message is", async () => {
    const { transport, requests, body } = network([taken]);

    expect(await openSlack(bot, transport).post(message)).toEqual(place);
    expect(requests.map(({ url }) => url)).toEqual(["https://slack.com/api/chat.postMessage"]);
    expect(new Headers(requests[0]?.init.headers).get("authorization")).toBe(`Bearer ${token}`);
    expect(requests[0]?.init.redirect).toBe("manual"); // the token goes nowhere else
    expect(body()).toEqual({ channel: "C0123456789", ...message, unfurl_links: false, unfurl_media: false });
  });

  it("answers in a thread, for the channel too where asked, and changes messages", async () => {
    const { transport, requests, body } = network([taken]);
    const slack = openSlack({ ...bot, api: "https://slack.example.org/api" }, transport);
    await slack.post(message, { to: place, broadcast: true });
    await slack.update?.(place, message);

    expect(body(0)).toMatchObject({ channel: place.channel, thread_ts: place.ts, reply_broadcast: true });
    expect(body(1)).toEqual({ ...place, ...message });
    expect(requests[1]?.url).toBe("https://slack.example.org/api/chat.update");
  });

  it.each<[string, readonly [Answer, ...Answer[]], readonly number[]]>([
    ["asks to wait", [() => new Response("", { status: 429, headers: { "retry-after": "7" } }), taken], [7]],
    [
      "asks to wait until a moment",
      [() => new Response("", { status: 429, headers: { "retry-after": "Fri, 20 Nov 2026 12:00:06 GMT" } }), taken],
      [5],
    ],
    [
      "asks to wait for no time",
      [() => new Response("", { status: 429, headers: { "retry-after": "0" } }), taken],
      [1],
    ],
    [
      "asks to wait in words that mean nothing",
      [() => new Response("", { status: 429, headers: { "retry-after": "soon" } }), taken],
      [1],
    ],
    [
      "is at fault again and again",
      [() => new Response("", { status: 503 }), () => new Response("", { status: 500 }), taken],
      [1, 2],
    ],
    [
      "says with status 200 that it is too much",
      [() => Response.json({ ok: false, error: "ratelimited" }), taken],
      [1],
    ],
    ["cannot be reached", [() => new TypeError("fetch failed"), taken], [1]],
    ["answers with a page of somebody else's", [() => new Response("<html>"), taken], [1]],
  ])("tries again when Slack %s", async (_, answers, expected) => {
    const { transport, waits } = network(answers);

    expect(await openSlack(bot, transport).post(message)).toEqual(place);
    expect(waits).toEqual(expected);
  });

  it("stops in time, however Slack fails, and says what it said", async () => {
    for (const answer of [
      () => new Response("", { status: 503 }),
      () => new Response("", { status: 429, headers: { "retry-after": "3600" } }),
      () => new Response("", { status: 429, headers: { "retry-after": "0" } }),
      () => new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) }),
    ]) {
      const { transport } = network([answer]);
      const failure = await failureOf(openSlack(bot, transport).post(message));

      expect(failure).toBeInstanceOf(ControlPlaneUnavailableError);
      expect(failure.message).toMatch(/HTTP status (503|429)|ECONNREFUSED/);
      expect(transport.now().getTime()).toBeLessThanOrEqual(transport.deadline.getTime() + 1000);
    }
  });

  it("does not even begin when the time is over", async () => {
    const { transport, requests } = network([taken], 0);

    await expect(openSlack(bot, transport).post(message)).rejects.toThrow(ControlPlaneUnavailableError);
    expect(requests).toEqual([]);
  });

  it.each([
    ["invalid_auth", 200, /put a valid bot token/],
    ["token_revoked", 200, /put a valid bot token/],
    ["not_in_channel", 200, /channel C0123456789 exists, and invite the bot/],
    ["channel_not_found", 404, /invite the bot/],
    ["missing_scope", 200, /chat:write/],
    ["invalid_blocks", 400, /documentation of chat.postMessage/],
  ])("names Slack's %s at once, with what to do", async (code, status, advice) => {
    const { transport, requests } = network([() => Response.json({ ok: false, error: code }, { status })]);
    const failure = await failureOf(openSlack(bot, transport).post(message));

    expect(failure).toBeInstanceOf(NotificationRefusedError);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(`(${code})`);
    expect(failure.message).toMatch(advice);
    expect(requests).toHaveLength(1);
  });

  it("takes a message for taken although the answer does not say where it is", async () => {
    const { transport } = network([() => Response.json({ ok: true })]);

    expect(await openSlack(bot, transport).post(message)).toBeUndefined();
  });
});

describe("a webhook of Slack", () => {
  it("gets messages as they are, and tells no place to answer to", async () => {
    const { transport, requests, body } = network([() => new Response("ok")]);
    const slack = openSlack(webhook, transport);

    expect(await slack.post(message, { to: place, broadcast: true })).toBeUndefined();
    expect(slack.update).toBeUndefined();
    expect(requests.map(({ url }) => url)).toEqual([webhookUrl]);
    expect(body()).toEqual({ ...message, unfurl_links: false, unfurl_media: false });
  });

  it.each([
    ["no_service", 404, /put a valid bot token, or the address of an existing webhook/],
    ["channel_is_archived", 410, /channel of the webhook exists/],
    ["action_prohibited", 403, /who may post/],
  ])("names Slack's %s with what to do", async (code, status, advice) => {
    const { transport } = network([() => new Response(code, { status })]);
    const failure = await failureOf(openSlack(webhook, transport).post(message));

    expect(failure).toBeInstanceOf(NotificationRefusedError);
    expect(failure.message).toContain(`(${code})`);
    expect(failure.message).toMatch(advice);
  });

  it("is tried again when Slack asks to wait or is at fault", async () => {
    const { transport, waits } = network([
      () => new Response("", { status: 429, headers: { "retry-after": "2" } }),
      () => new Response("rollup_error", { status: 500 }),
      () => new Response("ok"),
    ]);
    await openSlack(webhook, transport).post(message);

    expect(waits).toEqual([2, 2]);
  });
});

describe("a secret of Slack's", () => {
  it.each<[string, SlackAccess, Answer]>([
    ["token", bot, () => Response.json({ ok: false, error: `no ${token}` }, { status: 403 })],
    ["token", bot, () => new Response(`no ${token}`, { status: 403 })],
    ["token", bot, () => new TypeError(`bad header ${token}`, { cause: new Error(token) })],
    ["webhook", webhook, () => new Response(`no ${webhookUrl}`, { status: 400 })],
    ["webhook", webhook, () => new TypeError(`Failed to parse URL from ${webhookUrl}`)],
  ])("(%s) is in no error, whatever Slack and the network say", async (_, access, answer) => {
    const failure = await failureOf(openSlack(access, network([answer]).transport).post(message));

    expect(everythingIn(failure)).not.toContain("canary");
  });

  it.each<SlackAccess>([
    { kind: "webhook", url: "canary-7f21" },
    { kind: "webhook", url: "http://hooks.example.org/canary-7f21" },
    { kind: "webhook", url: "https://user:canary-7f21@hooks.slack.com/" },
    { ...bot, api: "http://slack.example.org/api" },
    { ...bot, token: "canary-7f21\nx" },
    { ...bot, token: "" },
  ])("is not sent where it could be read, or when it is none: $kind", (access) => {
    const { transport, requests } = network([taken]);
    const open = () => openSlack(access, transport);

    expect(open).toThrow(InvalidInputError);
    expect(open).not.toThrow(/canary/);
    expect(requests).toEqual([]);
  });
});
