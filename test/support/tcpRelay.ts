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

interface Target {
  readonly host: string;
  readonly port: number;
}

/** @param targets where connections lead, one after the other in turn, as the names of several servers do */
export const tcpRelay = async (...targets: readonly [Target, ...Target[]]): Promise<TcpRelay> => {
  const pairs = new Set<readonly [Socket, Socket]>();
  let taken = 0;
  const server = createServer((near) => {
    const { host, port } = targets[taken++ % targets.length] ?? targets[0];
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
