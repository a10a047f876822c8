import { type LoadWorker, runBytes } from "./loadWorker.ts";
import type { LoadWorkers } from "./loadWorkers.ts";
import type { TablesUnderWay } from "./tablesUnderWay.ts";

/** Spreads rows over the connections of a load, a run to each in turn; a run is one transaction with rows of one table. */
export interface RowRuns {
  /** @param keyed rows without a primary key keep their order, so they stay on one connection */
  write(table: string, chunk: Buffer, statementEnds: boolean, keyed: boolean): Promise<void>;
  /** The table's rows are over. */
  end(keyed: boolean): Promise<void>;
}

export const rowRuns = (workers: LoadWorkers, tables: TablesUnderWay): RowRuns => {
  let current = workers.all[0] as LoadWorker;
  let bytes = 0;
  let commit: (() => void) | undefined;

  const endRun = (): void => {
    bytes = 0;
    commit?.();
    commit = undefined;
  };

  return {
    write: async (table, chunk, statementEnds, keyed) => {
      bytes += chunk.length;
      const worker = current;
      worker.begin(`loading table ${table}`);
      worker.midStatement = !statementEnds;
      await worker.write(chunk);
      if (!commit) {
        const arrived = tables.expect(table);
        commit = () => worker.whenDone(arrived);
      }
      if (!statementEnds) return;
      tables.sendKeys();
      if (bytes < runBytes) return;
      endRun();
      if (keyed) current = await workers.next(current);
    },
    end: async (keyed) => {
      endRun();
      if (current.occupied || !keyed) current = await workers.next();
    },
  };
};
