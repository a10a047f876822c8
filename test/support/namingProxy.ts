import { EventEmitter, once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A proxy that finds every name ending in `.test` on this machine, and no other. */
export interface NamingProxy {
  readonly url: string;
  /** `host:port` of each request, and of each tunnel. */
  readonly asked: string[];
  /** The next of them. */
  next(): Promise<string>;
  stop(): Promise<void>;
}

/** Programs that reach a name ending in `.test` came through here: no resolver knows such names. */
export const startNamingProxy = async (): Promise<NamingProxy> => {
  const asked: string[] = [];
  const events = new EventEmitter();
  const note = (place: string) => {
    asked.push(place);
    events.emit("asked", place);
  };
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  };
  const server = createServer((incoming, answer) => {
    const { host, hostname, port, pathname, search } = new URL(incoming.url ?? "");
    note(host);
    if (!hostname.endsWith(".test")) return void answer.writeHead(502).end();
    const { method, headers } = incoming;
    const sent = request({ host: "127.0.0.1", port, path: `${pathname}${search}`, method, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    sent.on("error", () => answer.destroy());
    incoming.pipe(sent);
  });
  server.on("connection", keep);
  server.on("connect", ({ url: target = "" }, client: Socket) => {
    note(target);
    const [host = "", port = "443"] = target.split(":");
    if (!host.endsWith(".test")) return void client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    const behind = connect(Number(port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      behind.pipe(client).pipe(behind);
    });
    keep(behind);
    behind.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    next: async () => {
      const [place]: readonly unknown[] = await once(events, "asked");
      return String(place);
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
