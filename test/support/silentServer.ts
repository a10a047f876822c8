import { once } from "node:events";
import { createServer } from "node:net";

/** A server that takes connections and never answers, as behind a firewall that drops packets. */
export interface SilentServer extends AsyncDisposable {
  readonly port: number;
  /** The first connection. */
  readonly connected: Promise<unknown>;
}

export const aSilentServer = async (): Promise<SilentServer> => {
  const server = createServer((socket) => void socket.on("error", () => undefined));
  const connected = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, connected, [Symbol.asyncDispose]: async () => void server.close() };
};
