import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Fault } from "./slack.ts";

/** A request that the monitor got, whatever it answered. */
export interface Ping {
  readonly method: string;
  readonly path: string;
  /** Identifier of the run that it belongs to. */
  readonly rid: string | null;
  readonly body: string;
}

/** A monitor that expects pings, with the habits of healthchecks.io, on this machine's loopback. */
export interface MonitorServer extends AsyncDisposable {
  /** Of one check; a secret. */
  readonly url: string;
  readonly pings: readonly Ping[];
  /** The next requests, in turn, are answered so. */
  failWith(...faults: readonly Fault[]): void;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @see https://healthchecks.io/docs/http_api/, "Pinging API" */
export const startMonitor = async (): Promise<MonitorServer> => {
  const check = "/ping/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278";
  const pings: Ping[] = [];
  const faults: Fault[] = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://monitor");
    const rid = searchParams.get("rid");
    pings.push({ method: request.method ?? "", path: pathname.replace(check, ""), rid, body: await text(request) });
    if (faults.shift()?.(response, request)) return;
    const known = ["", "/start", "/fail", "/log"].some((below) => pathname === `${check}${below}`);
    if (!known) return void response.writeHead(404).end("(not found)");
    if (rid !== null && !uuid.test(rid)) return void response.writeHead(400).end("invalid uuid format");
    response.writeHead(200).end("OK");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${check}`,
    pings,
    failWith: (...next) => void faults.splice(0, faults.length, ...next),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
