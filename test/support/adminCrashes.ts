import net from "node:net";
import type { StoredSecret } from "@openemr-ops/core/storedSecret";

/** What a rotation did to the world outside, in order, until it was stopped. */
export interface StoppedRun {
  readonly effects: readonly string[];
  readonly stopped: boolean;
  /** Every statement that was sent. */
  readonly sql: string;
}

class Stopped extends Error {}

/** MariaDB's protocol: a header of four bytes, the command, the statement. */
const queryCommand = 3;
const changing = /^\s*(START TRANSACTION|UPDATE \S+|INSERT INTO \S+|COMMIT|ROLLBACK)/;

/**
 * Runs `work` until its effect number `at`, counted from 1, and lets neither that one nor any later one happen, as if the
 * program had been killed there; 0 lets it come to its end. Connections break, so that the server rolls back as it then would.
 */
export const stoppedAt = async (
  at: number,
  secret: StoredSecret,
  work: (secret: StoredSecret) => Promise<unknown>,
): Promise<StoppedRun> => {
  const effects: string[] = [];
  let stopped = false;
  let sql = "";
  const happens = (what: string): boolean => {
    if (!stopped) effects.push(what);
    stopped ||= effects.length === at;
    return !stopped;
  };
  const { write } = net.Socket.prototype;
  net.Socket.prototype.write = function (this: net.Socket, ...args: unknown[]): boolean {
    const [chunk] = args;
    const statement = Buffer.isBuffer(chunk) && chunk[4] === queryCommand ? chunk.subarray(5).toString("latin1") : "";
    const [, kind] = changing.exec(statement) ?? [];
    if (kind !== undefined && !happens(kind)) {
      this.destroy(new Stopped("stopped"));
      return false;
    }
    sql += `${statement}\n`;
    return Reflect.apply(write, this, args) as boolean;
  };
  const guarded: StoredSecret = {
    ...secret,
    writePending: async (text) => {
      if (!happens("writePending")) throw new Stopped("stopped");
      return await secret.writePending(text);
    },
    makeCurrent: async (version) => {
      if (!happens("makeCurrent")) throw new Stopped("stopped");
      await secret.makeCurrent(version);
    },
  };
  try {
    await work(guarded);
  } catch (error) {
    if (!stopped) throw error;
  } finally {
    net.Socket.prototype.write = write;
  }
  return { effects, stopped, sql };
};
