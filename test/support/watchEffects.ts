import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

/** Called before each effect, which waits for it. */
type BeforeEffect = (effect: string) => Promise<unknown>;

/** MariaDB's protocol: a header of four bytes, the command, the statement. */
const queryCommand = 3;
const changes = /^\s*((?:CREATE|ALTER|DROP|RENAME|GRANT|REVOKE|SET DEFAULT|INSERT|UPDATE|DELETE)\b.{0,60})/s;

const statementIn = (chunk: unknown): string | undefined =>
  Buffer.isBuffer(chunk) && chunk[4] === queryCommand
    ? changes.exec(chunk.subarray(5, 200).toString("latin1"))?.[1]?.replace(/\s+/g, " ")
    : undefined;

/** Takes a connection from its program, which never learns of it; the server sees it end. */
const cut = (socket: net.Socket): void => {
  socket.removeAllListeners();
  socket.on("error", () => {});
  socket.destroy();
};

/**
 * Does some work of this process, and waits before each thing that it does to the world outside: a file that gets its name or
 * loses it, a statement that changes a database over TCP, in the clear.
 *
 * @param port of the database server
 * @param before false stops the work there, as a power cut would: nothing of it runs any more, no `catch` and no `finally`
 * @returns nothing for a work that was stopped
 */
export const watchEffects = async <Result>(
  port: number,
  before: BeforeEffect,
  work: () => Promise<Result>,
): Promise<Result | undefined> => {
  const sockets = new Set<net.Socket>();
  const stopped = Promise.withResolvers<undefined>();
  let isStopped = false;
  const goesOn = async (effect: string): Promise<void> => {
    if (!isStopped && (await before(effect)) !== false) return;
    isStopped = true;
    for (const socket of sockets) cut(socket);
    stopped.resolve(undefined);
    await new Promise(() => {});
  };

  const originals = (["rename", "rm"] as const).map(
    (name) => [name, files[name] as (...args: unknown[]) => Promise<unknown>] as const,
  );
  for (const [name, original] of originals)
    Object.assign(files, {
      [name]: async (...args: unknown[]) => {
        await goesOn(`${name} ${args[name === "rename" ? 1 : 0]}`);
        return original(...args);
      },
    });
  const write = net.Socket.prototype.write;
  net.Socket.prototype.write = function (this: net.Socket, ...args: unknown[]): boolean {
    if (this.remotePort === port) sockets.add(this);
    const statement = this.remotePort === port ? statementIn(args[0]) : undefined;
    if (statement === undefined) return Reflect.apply(write, this, args) as boolean;
    goesOn(statement).then(
      () => Reflect.apply(write, this, args),
      (error) => this.destroy(error),
    );
    return true;
  };
  syncBuiltinESMExports();
  try {
    return await Promise.race([work(), stopped.promise]);
  } finally {
    for (const [name, original] of originals) Object.assign(files, { [name]: original });
    net.Socket.prototype.write = write;
    syncBuiltinESMExports();
  }
};
