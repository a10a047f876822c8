import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A relay on 127.0.0.1 that connections go through, for what a network does to them. */
export interface TcpRelay extends AsyncDisposable {
  readonly port: number;
  /** Resets each connection. */
  reset(): void;
  /** Carries nothing more over the connections there are, and says nothing of it. New ones work. */
  silence(): void;
}

export const tcpRelay = async ({ host, port }: { readonly host: string; readonly port: number }): Promise<TcpRelay> => {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(port, host);
    pairs.add([near, far]);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    reset: () => {
      for (const [near, far] of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    silence: () => {
      for (const [near, far] of pairs) {
        near.unpipe();
        far.unpipe();
        near.pause();
        far.pause();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
};
