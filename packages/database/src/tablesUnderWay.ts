import { LoadFailedError } from "@openemr-ops/core/errors";
import type { LoadWorkers } from "./loadWorkers.ts";

/** For messages. */
export const addingKeys = (table: string): string => `adding the keys of table ${table} (ALTER TABLE … ADD KEY)`;

interface TableState {
  /** Runs of rows and keys that no connection has confirmed yet. */
  pending: number;
  ended: boolean;
  addKeys?: string | undefined;
}

/** Which tables of a load have begun, what of each is still on its way, and which are whole. */
export interface TablesUnderWay {
  isDone(name: string): boolean;
  /** It has begun and is not whole. */
  isOpen(name: string): boolean;
  /** @param addKeys the statement that makes its keys when all its rows have arrived */
  begin(name: string, addKeys: string | undefined): void;
  /** Makes its keys at once where they still wait for rows: another table is to refer to them. */
  makeKeys(name: string, make: (addKeys: string) => Promise<void>): Promise<void>;
  /** Rows of it are on their way. @returns to be called when they have arrived */
  expect(name: string): () => void;
  /** Its last rows were sent. */
  end(name: string): void;
  /** Adds keys that wait, where a connection stands between two statements. */
  sendKeys(): void;
  /** Settles when each table that ended is whole. @throws {LoadFailedError} one cannot be any more */
  settle(): Promise<void>;
}

/**
 * @param done tables that are whole already
 * @param save notes that a table is whole
 * @param throwIfFailed says why a connection ended, where one did
 */
export const tablesUnderWay = (
  workers: LoadWorkers,
  done: Set<string>,
  save: (name: string) => Promise<void>,
  throwIfFailed: () => void,
): TablesUnderWay => {
  const open = new Map<string, TableState>();
  const saved: Promise<void>[] = [];
  /** Keys to add as soon as a connection stands between two statements. */
  const waitingKeys: { readonly name: string; readonly sql: string }[] = [];
  let keysSent = 0;

  const sendKeys = (): void => {
    for (const worker of workers.all) {
      if (worker.occupied || worker.midStatement) continue;
      const next = waitingKeys.shift();
      if (!next) return;
      worker.occupied = true;
      keysSent++;
      worker.begin(addingKeys(next.name));
      worker.send(next.sql);
      worker.whenDone(() => {
        worker.occupied = false;
        const state = open.get(next.name);
        if (state) state.pending--;
        look(next.name);
        sendKeys();
      });
    }
  };
  const look = (name: string): void => {
    const state = open.get(name);
    if (!state?.ended || state.pending > 0 || done.has(name)) return;
    if (state.addKeys) {
      state.pending++;
      waitingKeys.push({ name, sql: state.addKeys });
      state.addKeys = undefined;
      sendKeys();
      return;
    }
    done.add(name);
    saved.push(save(name));
  };

  const settle = async (): Promise<void> => {
    for (;;) {
      const before = keysSent;
      await workers.idle();
      throwIfFailed();
      const left = [...open].filter(([name, { ended }]) => ended && !done.has(name));
      if (left.length === 0) break;
      // The last rows of a table call for its keys; without any, rows were sent that no connection has confirmed.
      if (keysSent === before)
        throw new LoadFailedError(`${left.length} tables did not arrive, the first is ${left[0]?.[0]}`);
    }
    await Promise.all(saved);
  };

  return {
    isDone: (name) => done.has(name),
    isOpen: (name) => open.has(name) && !done.has(name),
    begin: (name, addKeys) =>
      void open.set(name, { pending: 0, ended: false, addKeys: addKeys ?? open.get(name)?.addKeys }),
    makeKeys: async (name, make) => {
      const state = open.get(name);
      if (!state || done.has(name)) return;
      const { addKeys } = state;
      if (!addKeys) return state.ended ? settle() : undefined; // they may be on their way
      state.addKeys = undefined;
      state.pending++;
      await make(addKeys);
      state.pending--;
      look(name);
    },
    expect: (name) => {
      const state = open.get(name);
      if (state) state.pending++;
      return () => {
        if (state) state.pending--;
        look(name);
      };
    },
    end: (name) => {
      const state = open.get(name);
      if (state) state.ended = true;
      look(name);
    },
    sendKeys,
    settle,
  };
};
