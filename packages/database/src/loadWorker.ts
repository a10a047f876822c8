import { drained, flushed } from "@openemr-ops/files/byteSink";
import { onLines } from "@openemr-ops/files/child";
import type { DatabaseAccess } from "./access.ts";
import { loadError, startLoadClient } from "./loadClient.ts";

/**
 * Rows go to one connection, in one transaction, for so many bytes before the next takes over. Connections that insert in turns at the end of a
 * table wait for each other; a run apart they fill different pages, and two are twice as fast as one.
 */
export const runBytes = 8 * 2 ** 20;

/** One of a load's connections: a client program that gets statements and says when they are done. */
export interface LoadWorker {
  /** Says what is sent from now on, for messages: an error names the statements that caused it. */
  begin(doing: string): void;
  /** Sends bytes; waits while the client is far behind. */
  write(chunk: Buffer): Promise<void>;
  /** Sends a statement at once, however far behind the client is. */
  send(sql: string): void;
  /** Commits everything sent so far, and has the client say when that is done. */
  whenDone(done: () => void): void;
  /** Settles when all that was sent has left for the client. */
  flushed(): Promise<void>;
  /** Closes its input and waits for a good end. */
  finish(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Settles when the client has ended, whatever its end. */
  readonly ended: Promise<unknown>;
  /** Bytes that wait for the client. */
  backlog(): number;
  /** A long statement runs there; rows had better go elsewhere. */
  occupied: boolean;
  /** Half a statement was sent: nothing else may be until its end. */
  midStatement: boolean;
}

/**
 * @param fail gets what ended the client
 */
export const startLoadWorker = async (
  access: DatabaseAccess,
  settings: Parameters<typeof startLoadClient>[1],
  fail: (error: Error) => void,
): Promise<LoadWorker> => {
  const child = await startLoadClient(access, settings);
  let asked = 0;
  let doing = "loading rows";
  /** In the order in which they are confirmed: the first one is what the client is at. */
  const waiting = new Map<number, { readonly doing: string; readonly done: () => void }>();
  onLines(child.stdout, (line) => {
    const number = Number(line);
    waiting.get(number)?.done();
    waiting.delete(number);
  });
  const whenDone = (done: () => void): void => {
    asked++;
    waiting.set(asked, { doing, done });
    child.stdin.write(`COMMIT; SELECT ${asked};\n`);
  };
  const ended = child.ended.then((end) => {
    if (end.code === 0) return;
    const [under] = waiting.values();
    const error = loadError(
      under?.doing ?? doing,
      end.errors || `the client ended by ${end.signal ?? `status ${end.code}`}`,
    );
    fail(error);
    throw error;
  });
  ended.catch(() => {});
  return {
    begin: (next) => {
      if (next === doing) return;
      whenDone(() => {});
      doing = next;
    },
    write: async (chunk) => {
      if (child.stdin.destroyed) return ended;
      child.stdin.write(chunk);
      while (child.stdin.writableLength > 2 * runBytes && !child.stdin.destroyed) await drained(child.stdin);
    },
    send: (sql) => void child.stdin.write(sql),
    whenDone,
    flushed: () => flushed(child.stdin),
    finish: () => {
      child.stdin.end();
      return ended;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await child.ended;
    },
    ended: child.ended,
    backlog: () => child.stdin.writableLength,
    occupied: false,
    midStatement: false,
  };
};
