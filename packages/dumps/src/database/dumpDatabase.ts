import {
  DatabaseDumpFailedError,
  DestinationUnavailableError,
  SourceLayoutError,
  TableLockedError,
} from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { type ByteSink, inBlocks } from "../byteSink.ts";
import { type Child, runChild, startChild } from "../child.ts";
import { clientArguments, clientEnvironment, type DatabaseAccess } from "./access.ts";
import { connect, type DatabaseConnection } from "./connection.ts";
import { describeSource, type SourceDescription } from "./describeSource.ts";
import { databaseError } from "./errors.ts";
import { writeExactRows } from "./exactRows.ts";
import { quoteName } from "./identifiers.ts";
import { endMark, type ProgramSection, type StreamDigest, sectionMark, sqlScanner } from "./sqlScanner.ts";

export interface DatabaseDump {
  readonly source: SourceDescription;
  readonly digest: StreamDigest;
  /** T0: the moment whose committed rows the dump holds. */
  readonly takenAt: Date;
}

export interface DumpDatabaseSettings {
  readonly mariadbDump: string;
  readonly stallSeconds: number;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Called once, when the snapshot stands: what is read from now on is not older than the rows. */
  readonly onSnapshot?: (takenAt: Date) => void;
}

const everyRun = ["--skip-dump-date", "--no-tablespaces", "--hex-blob", "--skip-add-locks", "--max-allowed-packet=1G"];
const dumpCompleted = "-- Dump completed\n";
const lockWaitSeconds = 10;
const lockAttempts = 3;

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

/** Drops the line that makes clients of MySQL stop, and who defined a program: at the target that user may not exist. */
const portableSql = (sql: string): string =>
  sql
    .replace(/^\/\*M!999999[^\n]*\n/, "")
    .replace(/^(\/\*!50013 )DEFINER=`(?:[^`]|``)*`@`(?:[^`]|``)*` /gm, "$1")
    .replace(/^(\/\*!\d{5} CREATE\*\/ )\/\*!\d{5} DEFINER=`(?:[^`]|``)*`@`(?:[^`]|``)*`\*\/ /gm, "$1")
    .replace(/^CREATE DEFINER=`(?:[^`]|``)*`@`(?:[^`]|``)*` (PROCEDURE|FUNCTION)/gm, "CREATE $1")
    .replace(/^-- Host: .*\n/m, "")
    .replace(/^-- Dumping (events|routines) for database .*$/gm, "-- Dumping $1");

/** Watches that bytes keep moving; says on which side they stopped. */
const stallWatch = (seconds: number, table: () => string | undefined, fail: (error: Error) => void) => {
  let movedAt = Date.now();
  let writing = false;
  let giveUp: (error: Error) => void = () => {};
  const stalled = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  stalled.catch(() => {});
  const timer = setInterval(
    () => {
      if (Date.now() - movedAt < seconds * 1000) return;
      const where = table() ? ` at table ${table()}` : "";
      const error = writing
        ? new DestinationUnavailableError(
            `the destination took no byte for ${seconds} s${where}; see dumps.stallSeconds`,
          )
        : new TableLockedError(
            `the database gave no byte for ${seconds} s${where}: the table may be locked (SHOW PROCESSLIST tells by whom); see dumps.stallSeconds`,
          );
      fail(error);
      giveUp(error);
    },
    Math.min(1000, seconds * 250),
  );
  return {
    /** Waits for the destination, but not for ever. */
    around: async (work: () => Promise<void> | undefined) => {
      writing = true;
      movedAt = Date.now();
      await Promise.race([work(), stalled]);
      writing = false;
      movedAt = Date.now();
    },
    orStalled: <Result>(work: Promise<Result>): Promise<Result> => Promise.race([work, stalled]),
    stop: () => clearInterval(timer),
  };
};

const runDump = async (
  access: DatabaseAccess,
  args: readonly string[],
  settings: DumpDatabaseSettings,
): Promise<string> => {
  const end = await runChild(settings.mariadbDump, [...clientArguments(access), ...everyRun, ...args], {
    environment: clientEnvironment(access),
    signal: settings.signal,
  });
  if (end.code !== 0 || !end.output.endsWith(dumpCompleted))
    throw databaseError("dump of programs and views", end.errors || `exit status ${end.code ?? end.signal}`);
  return end.output;
};

/** Routines, triggers, views, events: small, so each comes as one text. */
const programTexts = async (access: DatabaseAccess, source: SourceDescription, settings: DumpDatabaseSettings) => {
  const none = ["--no-data", "--no-create-info", "--skip-triggers"];
  const wanted: readonly (readonly [ProgramSection, number, readonly string[]])[] = [
    ["routines", source.routines, [...none, "--routines", access.name]],
    ["triggers", source.triggers, ["--no-data", "--no-create-info", "--triggers", "--add-drop-trigger", access.name]],
    ["views", source.views.length, ["--no-data", "--skip-triggers", access.name, ...source.views]],
    ["events", source.events, [...none, "--events", access.name]],
  ];
  const texts: [ProgramSection, string][] = [];
  for (const [section, wantedCount, args] of wanted) {
    if (wantedCount === 0) continue;
    const text = portableSql(await runDump(access, args, settings));
    if (text.split("\n").some((line) => line.startsWith(sectionMark) || `${line}\n` === endMark))
      throw new SourceLayoutError(`one of the ${section} holds a line that marks sections of a dump: change that line`);
    texts.push([section, text]);
  }
  return texts;
};

const lockedTables = async (locker: DatabaseConnection, tables: readonly string[]): Promise<void> => {
  await locker.run(`SET SESSION lock_wait_timeout = ${lockWaitSeconds}`);
  const list = tables.map((table) => `${quoteName(table)} READ`).join(", ");
  for (let attempt = 1; ; attempt++) {
    try {
      return await locker.run(`LOCK TABLES ${list}`);
    } catch (error) {
      if (!(error instanceof TableLockedError) || attempt === lockAttempts) throw error;
    }
  }
};

/**
 * Streams a schema as SQL: all tables as of one moment, FLOAT columns exact, then routines, triggers, views and events.
 *
 * `mariadb-dump --single-transaction` writes all tables but those with FLOAT columns; these come from a second snapshot.
 * That both see the same rows is made sure by a read lock on just these tables, held for the milliseconds between the
 * two snapshots. The stream's end mark is written only when every part ended well, so a stream with it is whole.
 *
 * @returns digests taken from the very bytes that went to `sink`
 * @throws the `Database…Error` family, {TableLockedError} retryable, {SourceLayoutError}; nothing is left open
 */
export const dumpDatabase = async (
  access: DatabaseAccess,
  sink: ByteSink,
  settings: DumpDatabaseSettings,
): Promise<DatabaseDump> => {
  await using reader = await connect(access);
  const source = await describeSource(reader, access.name);
  const exact = source.tables.filter((table) => table.exactColumns);
  const keyed = new Set(source.tables.filter((table) => table.keyed).map((table) => table.name));
  const scanner = sqlScanner((table) => keyed.has(table));

  let child: Child | undefined;
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    child?.kill("SIGKILL");
  };
  const watch = stallWatch(settings.stallSeconds, scanner.table, fail);
  let sent = 0;
  const emit = async (chunk: Buffer): Promise<void> => {
    await scanner.push(chunk);
    await watch.around(() => sink(chunk));
    sent += chunk.length;
    const detail = scanner.table();
    settings.progress({ step: "database", bytes: sent, rows: scanner.rows(), ...(detail ? { detail } : {}) });
  };

  let takenAt = settings.now();
  try {
    const locker = exact.length > 0 ? await connect(access) : undefined;
    const unlock = async () => locker?.[Symbol.asyncDispose]();
    try {
      if (locker)
        await lockedTables(
          locker,
          exact.map((table) => table.name),
        );
      await reader.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
      let standing = () => {};
      const snapshot = new Promise<void>((resolve) => {
        standing = resolve;
      });
      const dump = startChild(
        settings.mariadbDump,
        [
          ...clientArguments(access),
          ...everyRun,
          "--single-transaction",
          "--quick",
          "--order-by-primary",
          "--skip-triggers",
          "--verbose",
          ...exact.map((table) => `--ignore-table-data=${access.name}.${table.name}`),
          ...[...source.views, ...source.brokenViews].map((view) => `--ignore-table=${access.name}.${view}`),
          access.name,
        ],
        {
          environment: clientEnvironment(access),
          signal: settings.signal,
          onErrorLine: (line) => {
            if (line.startsWith("-- Retrieving table structure")) standing();
          },
        },
      );
      child = dump;
      await Promise.race([snapshot, dump.ended]);
      takenAt = settings.now();
      await unlock();
      settings.onSnapshot?.(takenAt);

      let tail = Buffer.alloc(0);
      let first = true;
      for await (const block of inBlocks(dump.stdout)) {
        let chunk = block;
        if (first) {
          first = false;
          chunk = Buffer.from(portableSql(chunk.toString("latin1")), "latin1");
        }
        const all = tail.length > 0 ? Buffer.concat([tail, chunk]) : chunk;
        tail = Buffer.from(all.subarray(-dumpCompleted.length));
        if (all.length > tail.length) await emit(all.subarray(0, all.length - tail.length));
        if (failure) break;
      }
      const end = await dump.ended;
      settings.signal.throwIfAborted();
      if (failure) throw failure;
      const errors = end.errors
        .split("\n")
        .filter((line) => !line.startsWith("-- "))
        .join("\n");
      const doing = scanner.table() ? `dump of table ${scanner.table()}` : "dump of the tables";
      if (end.code !== 0)
        throw databaseError(doing, errors.trim() || `mariadb-dump ended by ${end.signal ?? `exit status ${end.code}`}`);
      if (tail.toString() !== dumpCompleted)
        throw new DatabaseDumpFailedError(`${doing}: the end mark is missing, the dump was cut`);
      await emit(tail);
    } finally {
      await unlock();
    }

    if (exact.length > 0) {
      await emit(Buffer.from(`${sectionMark}exact rows\n${prologue}`));
      for (const table of exact) await watch.orStalled(writeExactRows(reader, table, emit));
      await emit(Buffer.from(`${epilogue}\n`));
    }
    for (const [section, text] of await programTexts(access, source, settings))
      await emit(Buffer.from(`${sectionMark}${section}\n${text}\n`)); // the same bytes whatever section follows
    settings.signal.throwIfAborted();
    if (failure) throw failure;
    await emit(Buffer.from(endMark));
  } finally {
    watch.stop();
    child?.kill("SIGKILL");
  }
  const digest = scanner.finish();
  const absent = source.tables.filter((table) => !digest.tables.some(({ name }) => name === table.name));
  if (absent.length > 0)
    throw new DatabaseDumpFailedError(`the dump lacks ${absent.length} tables, the first is ${absent[0]?.name}`);
  return { source, digest, takenAt };
};
