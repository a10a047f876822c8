import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request that the server got, whatever it answered. */
export interface SlackRequestSeen {
  /** `auth.test`, `chat.postMessage`, `chat.update`, `webhook`. */
  readonly method: string;
  readonly authorization?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Makes an answer of its own; `false` lets the server answer as usual. */
export type Fault = (response: ServerResponse, request: IncomingMessage) => boolean;

/** A receiver that answers as Slack does, on this machine's loopback. */
export interface SlackServer extends AsyncDisposable {
  /** For a bot: with the slash at its end. */
  readonly api: string;
  readonly webhook: string;
  readonly token: string;
  readonly seen: readonly SlackRequestSeen[];
  /** The next requests, in turn, are answered so; what was said before is forgotten. */
  failWith(...faults: readonly Fault[]): void;
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ""): Fault =>
  (response) => {
    response.writeHead(code, headers).end(body);
    return true;
  };

/** Takes the request and never answers. */
export const silence: Fault = () => true;
/** Breaks the connection off. */
export const hangUp: Fault = (_, request) => {
  request.socket.destroy();
  return true;
};

export const startSlackServer = async (): Promise<SlackServer> => {
  const token = "xoxb-canary-93b1";
  const seen: SlackRequestSeen[] = [];
  const faults: Fault[] = [];
  const known = new Set<string>();

  const answerTo = ({ method, authorization, body }: SlackRequestSeen): string => {
    if (method === "webhook") return "ok";
    const said = (fields: Readonly<Record<string, unknown>>) => JSON.stringify(fields);
    if (authorization !== `Bearer ${token}`) return said({ ok: false, error: "invalid_auth" });
    if (method === "auth.test") return said({ ok: true, team: "Hospital", user: "openemr-ops" });
    const { channel, ts, thread_ts: thread } = body;
    if (typeof channel !== "string") return said({ ok: false, error: "channel_not_found" });
    if (method === "chat.update") {
      return said(known.has(String(ts)) ? { ok: true, channel, ts } : { ok: false, error: "message_not_found" });
    }
    if (thread !== undefined && !known.has(String(thread))) return said({ ok: false, error: "thread_not_found" });
    const next = `1763692204.${String(known.size + 1).padStart(6, "0")}`;
    known.add(next);
    return said({ ok: true, channel, ts: next });
  };

  const server = createServer(async (request, response) => {
    const method = request.url?.startsWith("/services/") ? "webhook" : (request.url?.replace("/api/", "") ?? "");
    const { authorization } = request.headers;
    const body = JSON.parse(await text(request));
    const one = { method, body, ...(authorization === undefined ? {} : { authorization }) };
    seen.push(one);
    if (faults.shift()?.(response, request)) return;
    response
      .writeHead(200, { "content-type": method === "webhook" ? "text/html" : "application/json" })
      .end(answerTo(one));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    api: `${base}/api/`,
    webhook: `${base}/services/T000/B000/canary-93b1`,
    token,
    seen,
    failWith: (...next) => void faults.splice(0, faults.length, ...next),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
