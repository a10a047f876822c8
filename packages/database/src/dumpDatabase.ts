import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseDumpFailedError, IntegrityError, SourceLayoutError, TableLockedError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { ByteSink } from "@openemr-ops/files/byteSink";
import pRetry from "p-retry";
import type { DatabaseAccess } from "./access.ts";
import { readCatalogue, type TableCatalogue } from "./catalogue.ts";
import { connect, connectReadOnly, type DatabaseConnection, withoutTimeLimit } from "./connection.ts";
import { type DescribeOptions, describeSource, type SourceDescription } from "./describeSource.ts";
import { copyTablesDump, startTablesDump, type TablesDump } from "./dumpTables.ts";
import { dumpText, namedTables } from "./dumpText.ts";
import { writeExactRows } from "./exactRows.ts";
import { quoteName } from "./identifiers.ts";
import { nameOnServer, withoutOwnSchema } from "./ownSchema.ts";
import { programStatements, programsDigest } from "./programStatements.ts";
import { programTexts } from "./programTexts.ts";
import { assertProgramHere, assertSameServer, serverOf, sessionOf } from "./sameServer.ts";
import { assertForDumpProgram } from "./sessionVariables.ts";
import { endMark, type ProgramSection, type StreamDigest, sectionMark, sqlScanner } from "./sqlScanner.ts";
import { stallWatch } from "./stallWatch.ts";
import { isInnoDbReadOnly } from "./writable.ts";

export interface DatabaseDump {
  readonly source: SourceDescription;
  readonly digest: StreamDigest;
  /** What each table is made of, by its name. */
  readonly catalogue: ReadonlyMap<string, TableCatalogue>;
  /** What the programs of each section say, whatever client wrote them. */
  readonly meanings: ReadonlyMap<ProgramSection, string>;
  /** T0: the moment whose committed rows the dump holds. */
  readonly takenAt: Date;
}

export interface DumpDatabaseSettings extends Omit<DescribeOptions, "exactFrom"> {
  readonly mariadbDump: string;
  readonly stallSeconds: number;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Called once, when the snapshot stands: what is read from now on, on this server, is not older than the rows. */
  readonly onSnapshot?: (takenAt: Date, server: string) => void;
}

/** While we wait for a lock, everybody who wants to write waits behind us: so not long, but more than once. */
const longestLockWaitSeconds = 10;
const lockAttempts = 3;

/** A table is read faster, also by a slow destination. */
const slowestBytesPerSecond = 256 * 1024;

const prologue = `/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;

`;
const epilogue = `
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
`;

const lockedTables = async (
  locker: DatabaseConnection,
  tables: readonly string[],
  stallSeconds: number,
): Promise<void> => {
  const seconds = Math.max(1, Math.min(longestLockWaitSeconds, Math.floor(stallSeconds / lockAttempts)));
  await locker.run(`SET SESSION lock_wait_timeout = ${seconds}`);
  const list = tables.map((table) => `${quoteName(table)} READ`).join(", ");
  await pRetry(() => locker.run(`LOCK TABLES ${list}`), {
    retries: lockAttempts - 1,
    minTimeout: 0,
    shouldRetry: ({ error }) => error instanceof TableLockedError,
  });
};

/** Longest that it takes; no answer is one too. */
const longestQuestionSeconds = 15;

/** Whether a session of the dump's user waits for a lock. Without the right PROCESS a user sees no other's. */
const waitsForLock = async (access: DatabaseAccess): Promise<boolean> => {
  const ask = async (): Promise<boolean> => {
    await using connection = await connect(access, undefined);
    const sessions = await connection.rows("SHOW PROCESSLIST");
    return sessions.some(({ User, State }) => User === access.user && /lock|waiting for table/i.test(State ?? ""));
  };
  return Promise.race([ask(), sleep(longestQuestionSeconds * 1000, false, { ref: false })]);
};

/** Rejects with the signal's reason, once it is aborted. */
const rejectedBy = (signal: AbortSignal): Promise<never> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  promise.catch(() => {});
  return promise;
};

/** @throws {SourceLayoutError} refused: no restore would take these programs, so a dump with them would be none */
const assertLoads = (section: ProgramSection, text: string): void => {
  try {
    programStatements(text, [section]);
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    throw new SourceLayoutError(`${error.message}. A restore would refuse it: make that program again without it`, {
      cause: error,
    });
  }
};

/**
 * Streams a schema as SQL: all tables as of one moment, FLOAT columns exact, then routines, triggers, views and events.
 *
 * `mariadb-dump --single-transaction` writes all tables but those with `exactColumns`; the rows of these come from a second
 * snapshot.
 * That both see the same rows is made sure by a read lock on just these tables, held for the milliseconds between the
 * two snapshots. The stream's end mark is written only when every part ended well, so a stream with it is whole.
 *
 * @returns digests taken from the very bytes that went to `sink`
 * @throws the `Database…Error` family, {DatabaseServersDifferError} retryable: rows would be of several servers,
 *   {TableLockedError} retryable, {SourceLayoutError}. No program and no connection is left, stopped or not
 */
export const dumpDatabase = async (
  given: DatabaseAccess,
  sink: ByteSink,
  settings: DumpDatabaseSettings,
): Promise<DatabaseDump> => {
  const stopped = rejectedBy(settings.signal);
  /** For what only reads: a statement under way ends with its connection. */
  const unlessStopped = <Result>(work: Promise<Result>): Promise<Result> => Promise.race([work, stopped]);
  await using reader = await connectReadOnly({ ...given, signal: settings.signal });
  const access = { ...given, name: await unlessStopped(nameOnServer(reader, given.name)) };
  assertForDumpProgram(reader.given);
  // MySQL's limit; mariadb-dump lifts MariaDB's itself. A copy is read as its dump was.
  const limitMs = settings.ourCopy ? 0 : Number(reader.given.get("max_execution_time") ?? 0);
  const server = await unlessStopped(serverOf(reader));
  // A lock on a reader keeps nobody away: rows come there from another server. So one session reads all of them.
  const oneSession = !settings.ourCopy && (await unlessStopped(isInnoDbReadOnly(reader)));
  const exactFrom = oneSession ? 0 : limitMs > 0 ? (limitMs / 1000) * slowestBytesPerSecond : Number.POSITIVE_INFINITY;
  const source = await unlessStopped(describeSource(reader, access.name, { ...settings, exactFrom }));
  const catalogue = await unlessStopped(readCatalogue(reader, access.name, source.product));
  const meanings = new Map<ProgramSection, string>();
  await unlessStopped(withoutTimeLimit(reader));
  const namesOf = (tables: SourceDescription["tables"]) => tables.map(({ name }) => name);
  const exact = source.tables.filter((table) => table.exactColumns);
  const plain = namesOf(source.tables.filter((table) => !table.exactColumns));
  const keyed = new Set(namesOf(source.tables.filter((table) => table.keyed)));
  const scanner = sqlScanner((table) => keyed.has(table));

  const ours = new AbortController();
  const signal = AbortSignal.any([settings.signal, ours.signal]);
  const run = { mariadbDump: settings.mariadbDump, signal };
  const throwIfStopped = () => signal.throwIfAborted();
  let dump: TablesDump | undefined;
  const end = (reason?: Error) => {
    ours.abort(reason);
    dump?.child.kill("SIGKILL"); // one that was suspended heeds nothing else
  };
  const kill = () => end();
  settings.signal.addEventListener("abort", kill);
  const watch = stallWatch(settings.stallSeconds, scanner.table, () => waitsForLock(access), end);
  let sent = 0;
  const emit = async (chunk: Buffer): Promise<void> => {
    throwIfStopped();
    await scanner.push(chunk);
    await watch.around(() => sink(chunk));
    sent += chunk.length;
    const detail = scanner.table();
    settings.progress({ step: "database", bytes: sent, rows: scanner.rows(), ...(detail ? { detail } : {}) });
  };

  let takenAt = settings.now();
  try {
    const locker =
      exact.length > 0 && plain.length > 0 ? await connect({ ...access, signal: settings.signal }) : undefined;
    const unlock = async () => locker?.[Symbol.asyncDispose]();
    try {
      if (locker) await unlessStopped(assertSameServer(locker, server, access));
      if (locker) await unlessStopped(lockedTables(locker, namesOf(exact), settings.stallSeconds));
      await unlessStopped(reader.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
      await unlessStopped(reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT"));
      throwIfStopped();
      if (plain.length > 0) dump = await startTablesDump(access, plain, run);
      await dump?.standing;
      if (dump) {
        const ours = locker ? [await unlessStopped(sessionOf(locker))] : [];
        await unlessStopped(assertProgramHere(reader, access, { ours, hasExited: dump.child.hasExited }));
      }
      takenAt = settings.now();
    } finally {
      await unlock();
    }
    throwIfStopped();
    settings.onSnapshot?.(takenAt, server);
    if (dump) await copyTablesDump(dump, emit, scanner.table, throwIfStopped);

    if (exact.length > 0) {
      const structures = ["--no-data", "--skip-triggers", ...namedTables(access, namesOf(exact))];
      const text = await watch.orStalled(dumpText(access, "tables", structures, run));
      await emit(Buffer.from(withoutOwnSchema(text, access.name), "latin1"));
      await emit(Buffer.from(`${sectionMark}exact rows\n${prologue}`));
      for (const table of exact) await watch.orStalled(unlessStopped(writeExactRows(reader, table, emit)));
      await emit(Buffer.from(`${epilogue}\n`));
    }
    for (const [section, text] of await watch.orStalled(programTexts(access, source, run))) {
      assertLoads(section, text);
      meanings.set(section, programsDigest(text, section));
      await emit(Buffer.from(`${sectionMark}${section}\n${text}\n`, "latin1")); // the same bytes whatever section follows
    }
    throwIfStopped();
    await emit(Buffer.from(endMark));
  } finally {
    watch.stop();
    settings.signal.removeEventListener("abort", kill);
    end();
    dump?.child.stdout.destroy(); // nobody reads the rest, and it has ended only when all was read
    await dump?.child.ended.catch(() => {});
  }
  const digest = scanner.finish();
  const absent = source.tables.filter((table) => !digest.tables.some(({ name }) => name === table.name));
  if (absent.length > 0)
    throw new DatabaseDumpFailedError(`the dump lacks ${absent.length} tables, the first is ${absent[0]?.name}`);
  return { source, digest, catalogue, meanings, takenAt };
};
