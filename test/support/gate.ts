import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands before a server and may close in the midst of what it says. */
export interface Gate extends AsyncDisposable {
  readonly port: number;
  /** Lets all pass, what was held as well. */
  open(): void;
  /** Breaks each connection off after so many bytes of the server's. */
  cutAfter(bytes: number): void;
  /** Keeps back what the server says after so many bytes of a connection's. Resolves when the first one waits. */
  holdAfter(bytes: number): Promise<void>;
}

/** A gate before a server on this machine. */
export const aGate = async (target: { readonly host: string; readonly port: number }): Promise<Gate> => {
  let rule: { readonly after: number; readonly what: "cut" | "hold"; readonly reached: () => void } | undefined;
  const held = new Set<Socket>();
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    let passed = 0;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        held.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => {
      passed += chunk.length;
      client.write(chunk);
      if (!rule || passed < rule.after) return;
      if (rule.what === "cut") return void upstream.destroy();
      upstream.pause();
      held.add(upstream);
      rule.reached();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    open: () => {
      rule = undefined;
      for (const socket of held) socket.resume();
      held.clear();
    },
    cutAfter: (after) => {
      rule = { after, what: "cut", reached: () => {} };
    },
    holdAfter: (after) =>
      new Promise((reached) => {
        rule = { after, what: "hold", reached };
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
};
