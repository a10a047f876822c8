import { setTimeout as sleep } from "node:timers/promises";
import { readKeySet } from "@openemr-ops/openemr/keys";
import type mysql from "mysql2/promise";
import type { Random } from "../estate/random.ts";
import { connectAsSite, readerOf } from "./siteConnection.ts";
import { writeRound } from "./writeRound.ts";

/** What an application wrote until it was stopped. */
export interface WritingReport {
  readonly rounds: number;
  /** Messages of rounds that failed: what a user of the clinic would have seen. */
  readonly failures: readonly string[];
}

export interface Writing {
  /** Rounds committed so far. */
  readonly rounds: number;
  /** Finishes the round under way. Safe to repeat. */
  stop(): Promise<WritingReport>;
}

const nextRound = async (sitesPath: string, random: Random, now: Date): Promise<void> => {
  const connection = await connectAsSite(sitesPath);
  try {
    const { keys } = await readKeySet(sitesPath, "default", readerOf(connection));
    const [[row]] = await connection.query<mysql.RowDataPacket[]>("SELECT MAX(pid) AS patients FROM patient_data");
    await writeRound({ connection, sitesPath, keys: keys.database, patients: Number(row?.patients), random, now });
  } finally {
    await connection.end().catch(() => undefined); // already broken: its own error is under way
  }
};

/**
 * Keeps a clinic at work: round after round, each over a connection of its own as pages of PHP do, until stopped. A round that
 * fails is remembered and the next one tried.
 *
 * @param options.pauseMs rest between two rounds
 */
export const startWriting = ({
  sitesPath,
  random,
  clock,
  pauseMs,
}: {
  readonly sitesPath: string;
  readonly random: Random;
  readonly clock: () => Date;
  readonly pauseMs: number;
}): Writing => {
  let stopped = false;
  let rounds = 0;
  const failures: string[] = [];
  const work = (async () => {
    while (!stopped) {
      try {
        await nextRound(sitesPath, random, clock());
        rounds++;
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
        await sleep(20);
      }
      await sleep(pauseMs);
    }
  })();
  return {
    get rounds() {
      return rounds;
    },
    stop: async () => {
      stopped = true;
      await work;
      return { rounds, failures };
    },
  };
};
