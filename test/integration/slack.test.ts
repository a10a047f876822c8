import { ControlPlaneUnavailableError, NotificationRefusedError } from "@openemr-ops/core/errors";
import { freePort } from "@openemr-ops/local/servers/freePort";
import { hangUp, type SlackServer, silence, startSlackServer, status } from "@openemr-ops/local/servers/slack";
import { type HttpTransport, httpTransport } from "@openemr-ops/notifications/httpRequest";
import { openSlack } from "@openemr-ops/notifications/openSlack";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let server: SlackServer;
beforeEach(async () => {
  server = await startSlackServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const message = { text: "Dump of clinic-a is running", blocks: [] };
const bot = (transport: HttpTransport) =>
  openSlack({ kind: "bot", token: server.token, channel: "C0123456789", api: server.api }, transport);

describe("Slack over a real connection", () => {
  it("gets a job's message, an answer in its thread, and the change of the first", async () => {
    const slack = bot(httpTransport(20));
    const root = await slack.post(message);
    if (!root) return expect.unreachable("a bot learns where its message is");
    await slack.post(message, { to: root, broadcast: true });
    await slack.update?.(root, message);

    expect(server.seen.map(({ method }) => method)).toEqual(["chat.postMessage", "chat.postMessage", "chat.update"]);
    expect(server.seen[1]?.body).toMatchObject({ thread_ts: root.ts, reply_broadcast: true });
    expect(server.seen[2]?.body).toMatchObject({ ts: root.ts, text: message.text });
  });

  it("gets a webhook's message", async () => {
    await openSlack({ kind: "webhook", url: server.webhook }, httpTransport(20)).post(message);

    expect(server.seen).toMatchObject([{ method: "webhook", body: message }]);
  });

  it("is waited for as long as it asks, after faults, broken connections and silence alike", async () => {
    server.failWith(silence, hangUp, status(429, { "retry-after": "2" }));
    const from = performance.now();
    await bot({ ...httpTransport(30), attemptSeconds: 1 }).post(message);

    expect(server.seen).toHaveLength(4);
    expect((performance.now() - from) / 1000).toBeGreaterThan(1 + 1 + 2 + 2 - 0.1);
  });

  it("is a failure in time when it stays silent", async () => {
    server.failWith(silence, silence, silence, silence);
    const from = performance.now();

    await expect(bot({ ...httpTransport(3), attemptSeconds: 1 }).post(message)).rejects.toThrow(/ETIMEDOUT/);
    expect((performance.now() - from) / 1000).toBeLessThan(3.5);
  });

  it("that refuses, redirects or is not there is named, without its secrets", async () => {
    const wrong = openSlack(
      { kind: "bot", token: "xoxb-canary-0000", channel: "C0123456789", api: server.api },
      httpTransport(5),
    );
    await expect(wrong.post(message)).rejects.toThrow(NotificationRefusedError);

    server.failWith(
      status(302, { location: "https://example.org/" }),
      status(302, { location: "https://example.org/" }),
    );
    await expect(bot(httpTransport(1)).post(message)).rejects.toThrow(ControlPlaneUnavailableError);

    const nobody = openSlack({ kind: "webhook", url: `http://127.0.0.1:${await freePort()}/canary` }, httpTransport(1));
    const failure: unknown = await nobody.post(message).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ControlPlaneUnavailableError);
    expect(String(failure)).toContain("ECONNREFUSED");
    expect(String(failure)).not.toContain("canary");
  });
});
