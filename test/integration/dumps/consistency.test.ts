import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkInvariant } from "@openemr-ops/local/application/checkInvariant";
import { startApplication } from "@openemr-ops/local/application/startApplication";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aSource, type Source } from "../../support/aSource.ts";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { aWorkDirectory, type DumpContextOptions } from "../../support/dumpContext.ts";
import { roundTrip } from "../../support/roundTrip.ts";
import { runStatements } from "../../support/runStatements.ts";
import { aSite } from "../../support/sitesTree.ts";

/** A trip whose schema is free again afterwards. */
const tripOf = async <Found>(
  options: DumpContextOptions,
  look: (trip: Awaited<ReturnType<typeof roundTrip>>) => Promise<Found>,
) => {
  try {
    return await look(await roundTrip(options));
  } finally {
    await rm(join(options.directory, "copy"), { recursive: true, force: true });
    await options.schema.query(`DROP DATABASE IF EXISTS ${options.schema.name}_copy`);
  }
};

describe("a clinic at work while it is dumped", () => {
  let source: Source;
  beforeAll(async () => {
    source = await aSource({ seed: "at work" });
  });
  afterAll(() => source.remove());

  it.each([
    { form: "restic", dumps: { format: "restic" } },
    { form: "a portable set", dumps: { format: "portable" } },
  ] as const)(
    "is restored as it was at one moment, every document with its file: $form",
    { timeout: 180_000 },
    async ({ dumps }) => {
      const { schema, sitesPath } = source;
      const application = await startApplication({ sitesPath });
      const writers = ["reception", "ward"].map((seed) =>
        application.write({ seed: seed + dumps.format, pauseMs: 10 }),
      );
      try {
        const states: {
          readonly before: number;
          readonly restored: number;
          readonly after: number;
          readonly documents: number;
        }[] = [];
        for (let dump = 0; dump < 3; dump++) {
          const written = () => writers.reduce((sum, { rounds }) => sum + rounds, 0);
          const base = (await checkInvariant({ ...schema, name: schema.name })).rounds - written();
          const directory = await mkdtemp(join(source.directory, "trip-"));
          await sleep(100);
          const before = base + written();
          await tripOf({ schema, sitesPath, directory, dumps }, async ({ restored, sites, verdict }) => {
            const { violations, rounds, documentsRead } = await checkInvariant(
              { ...schema, name: restored.name },
              sites,
            );

            expect(violations).toEqual([]);
            expect(verdict.verdict).toBe("passed");
            states.push({ before, restored: rounds, after: base + written(), documents: documentsRead });
          });
        }

        for (const { before, restored, after, documents } of states) {
          expect(restored).toBeGreaterThan(before - writers.length); // rounds that were just being counted
          expect(restored).toBeLessThan(after);
          expect(documents).toBe(restored);
        }
        expect(new Set(states.map(({ restored }) => restored)).size).toBe(states.length);
      } finally {
        await application.stop();
      }
      expect((await Promise.all(writers.map((writer) => writer.stop()))).flatMap(({ failures }) => failures)).toEqual(
        [],
      );
    },
  );
});

describe("tables with FLOAT columns and tables without, changed by the same transactions", () => {
  let work: Awaited<ReturnType<typeof aWorkDirectory>>;
  let schema: FreshSchema;
  beforeAll(async () => {
    work = await aWorkDirectory();
    await aSite(join(work.path, "sites"));
    schema = await freshSchema();
    await runStatements(schema, schema.name, [
      "CREATE TABLE exact_account (id int PRIMARY KEY, cents bigint, f float)",
      "CREATE TABLE plain_account (id int PRIMARY KEY, cents bigint)",
      "CREATE TABLE exact_entry (n bigint PRIMARY KEY, f float)",
      "CREATE TABLE plain_entry (n bigint PRIMARY KEY)",
      "INSERT INTO exact_account SELECT seq, 1000, seq / 7 FROM seq_1_to_5",
      "INSERT INTO plain_account SELECT seq, 1000 FROM seq_1_to_5",
      "CREATE TABLE filler (id int PRIMARY KEY, v varchar(200))",
      "INSERT INTO filler SELECT seq, repeat('x', 150) FROM seq_1_to_20000",
    ]);
  });
  afterAll(async () => {
    await schema.drop();
    await work.remove();
  });

  /** Moves money between the two kinds of account and notes each move in both kinds of table, until told to stop. */
  const startMoving = (worker: number) => {
    let stopped = false;
    let moves = 0;
    const work = (async () => {
      const { host, port, user, password, name } = schema;
      const connection = await mysql.createConnection({ host, port, user, password, database: name });
      for (; !stopped; moves++) {
        const number = worker * 1_000_000 + moves;
        const cents = (moves % 17) - 8;
        await connection.beginTransaction();
        await connection.query("UPDATE exact_account SET cents = cents + ?, f = f * 1.0001 WHERE id = ?", [
          cents,
          worker,
        ]);
        await connection.query("INSERT INTO plain_entry VALUES (?)", [number]);
        await connection.query("INSERT INTO exact_entry VALUES (?, ?)", [number, number / 7]);
        await connection.query("UPDATE plain_account SET cents = cents - ? WHERE id = ?", [cents, worker]);
        await connection.commit();
      }
      await connection.end();
    })();
    return {
      stop: async () => {
        stopped = true;
        await work;
        return moves;
      },
    };
  };

  it("come back as of one moment, dump after dump", { timeout: 180_000 }, async () => {
    const movers = [1, 2, 3, 4].map(startMoving);
    const restoredMoves: number[] = [];
    try {
      for (let dump = 0; dump < 6; dump++) {
        const directory = await mkdtemp(join(work.path, "trip-"));
        const sitesPath = join(work.path, "sites");
        await tripOf({ schema, sitesPath, directory }, async ({ restored, verdict }) => {
          const copy = restored.name;
          const [row] = await schema.query(
            `SELECT (SELECT SUM(cents) FROM ${copy}.exact_account) + (SELECT SUM(cents) FROM ${copy}.plain_account) AS cents,
               (SELECT COUNT(*) FROM ${copy}.exact_entry e LEFT JOIN ${copy}.plain_entry p USING (n) WHERE p.n IS NULL) AS onlyExact,
               (SELECT COUNT(*) FROM ${copy}.plain_entry p LEFT JOIN ${copy}.exact_entry e USING (n) WHERE e.n IS NULL) AS onlyPlain,
               (SELECT COUNT(*) FROM ${copy}.plain_entry) AS moves`,
          );

          expect({ ...row, moves: 0 }).toEqual({ cents: "10000", onlyExact: 0, onlyPlain: 0, moves: 0 });
          expect(verdict.verdict).toBe("passed");
          restoredMoves.push(Number(row?.moves));
        });
      }
    } finally {
      const moves = await Promise.all(movers.map(({ stop }) => stop()));
      expect(Math.max(...restoredMoves)).toBeLessThan(moves.reduce((sum, count) => sum + count, 0));
    }
    expect(restoredMoves).toEqual([...new Set(restoredMoves)].sort((a, b) => a - b));
  });
});
