import { hash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DatabaseFailedError,
  InstallationBusyError,
  IntegrityError,
  LoadFailedError,
  TargetNotEmptyError,
  TargetUnsuitableError,
} from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { drained, flushed, inBlocks } from "@openemr-ops/files/byteSink";
import { type Child, onLines } from "@openemr-ops/files/child";
import type { DatabaseAccess } from "./access.ts";
import { connect, type DatabaseConnection } from "./connection.ts";
import { deferKeys } from "./deferredKeys.ts";
import { quoteName } from "./identifiers.ts";
import type { LoadableDump } from "./loadableDump.ts";
import { loadError, loadPrograms, startLoadClient } from "./loadClient.ts";
import { programStatements } from "./programStatements.ts";
import { type ProgramSection, type SectionHandler, sqlScanner } from "./sqlScanner.ts";

export interface LoadSettings {
  readonly mariadb: string;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Sections not to load: a drill must not start events. */
  readonly skip?: readonly ProgramSection[];
  /** Receives the SQL of a section of programs once it was read whole and taken, also where it is not loaded. */
  readonly onProgram?: (section: ProgramSection, sql: Buffer) => void;
}

/** Says in the target schema which dump is being loaded and which tables are done; `forgetLoad` removes it. */
export const progressTable = "openemr_ops_restore";

/**
 * Rows go to one connection, in one transaction, for so many bytes before the next takes over. Connections that insert in turns at the end of a
 * table wait for each other; a run apart they fill different pages, and two are twice as fast as one.
 */
const runBytes = 8 * 2 ** 20;

/** Tables with fewer rows are not worth a second statement. */
const deferKeysFrom = 10_000;

interface Worker {
  readonly child: Child;
  /** Sends bytes; waits while the client is far behind. */
  write(chunk: Buffer | string): Promise<void>;
  /** Commits everything sent so far, and has the client say when that is done. */
  whenDone(done: () => void): void;
  /** Closes its input and waits for a good end. */
  finish(): Promise<void>;
  /** Bytes that wait for the client. */
  backlog(): number;
  /** A long statement runs there; rows had better go elsewhere. */
  occupied: boolean;
  /** Half a statement was sent: nothing else may be until its end. */
  midStatement: boolean;
}

const startWorker = (
  access: DatabaseAccess,
  settings: LoadSettings,
  fail: (error: Error) => void,
  table: () => string,
): Worker => {
  const child = startLoadClient(access, settings);
  let asked = 0;
  const waiting = new Map<number, () => void>();
  onLines(child.stdout, (line) => {
    const number = Number(line);
    waiting.get(number)?.();
    waiting.delete(number);
  });
  const ended = child.ended.then((end) => {
    if (end.code === 0) return;
    const error = loadError(
      `loading ${table()}`,
      end.errors || `the client ended by ${end.signal ?? `status ${end.code}`}`,
    );
    fail(error);
    throw error;
  });
  ended.catch(() => {});
  return {
    child,
    write: async (chunk) => {
      if (child.stdin.destroyed) return ended;
      child.stdin.write(chunk);
      while (child.stdin.writableLength > 2 * runBytes && !child.stdin.destroyed) await drained(child.stdin);
    },
    whenDone: (done) => {
      asked++;
      waiting.set(asked, done);
      child.stdin.write(`COMMIT; SELECT ${asked};\n`);
    },
    finish: () => {
      child.stdin.end();
      return ended;
    },
    backlog: () => child.stdin.writableLength,
    occupied: false,
    midStatement: false,
  };
};

/**
 * The clients of a process that was killed outlive it for as long as their last statements take; a load that goes on
 * beside them would get rows twice.
 *
 * @throws {InstallationBusyError} retryable: they are still at work after 30 s
 */
const awaitQuiet = async (control: DatabaseConnection, schema: string): Promise<void> => {
  for (let look = 0; look < 150; look++) {
    const [row] = await control.rows(
      "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()",
      [schema],
    );
    if (Number(row?.n) === 0) return;
    await sleep(200);
  }
  throw new InstallationBusyError(
    `sessions are open in schema ${schema}, in which an interrupted load is to go on: try again when they have ended (SHOW PROCESSLIST tells whose they are)`,
  );
};

/** Makes the schema, or finds out how far an interrupted load of the same dump came. */
const prepareSchema = async (
  control: DatabaseConnection,
  access: DatabaseAccess,
  dump: LoadableDump,
): Promise<Set<string>> => {
  const { characterSet, collation } = dump.server;
  if (!/^\w+$/.test(characterSet)) throw new IntegrityError("the manifest names a character set that is none");
  const name = quoteName(access.name);
  const collations = await control.rows(
    "SELECT COLLATION_NAME AS c FROM information_schema.COLLATIONS WHERE COLLATION_NAME = ?",
    [collation],
  );
  await control.run(
    `CREATE DATABASE IF NOT EXISTS ${name} CHARACTER SET ${characterSet}${collations.length > 0 && /^\w+$/.test(collation) ? ` COLLATE ${collation}` : ""}`,
  );
  await control.run(`USE ${name}`);
  const tables = await control.rows("SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", [
    access.name,
  ]);
  if (tables.some((row) => row.t !== progressTable)) {
    const ours = tables.some((row) => row.t === progressTable)
      ? await control.rows(`SELECT dump_id, table_name FROM ${progressTable}`)
      : [];
    if (ours.length === 0 || ours.some((row) => row.dump_id !== dump.dumpId))
      throw new TargetNotEmptyError(
        `schema ${access.name} already holds ${tables.length} tables: restore into a new name, or drop it first if nobody needs it`,
      );
    await awaitQuiet(control, access.name);
    return new Set(ours.map((row) => row.table_name ?? ""));
  }
  await control.run(`DROP TABLE IF EXISTS ${progressTable}`); // of a load that had only begun
  await control.run(
    `CREATE TABLE ${progressTable} (dump_id CHAR(26) NOT NULL, table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY)`,
  );
  await control.run(`INSERT INTO ${progressTable} VALUES (?, '')`, [dump.dumpId]);
  return new Set();
};

const assertServer = async (control: DatabaseConnection, dump: LoadableDump): Promise<void> => {
  const [row] = await control.rows("SELECT @@max_allowed_packet AS packet");
  const packet = Number(row?.packet ?? 0);
  if (packet <= dump.database.largestStatement)
    throw new TargetUnsuitableError(
      `the dump holds a row of ${dump.database.largestStatement} bytes, the server takes ${packet}: raise max_allowed_packet to at least ${2 ** Math.ceil(Math.log2(dump.database.largestStatement + 1))}`,
    );
};

/**
 * Loads a dump stream into a schema over several connections: tables as they come, the rows of large tables spread over
 * all connections, then routines, triggers, views and events on one.
 *
 * Interrupted, it is run again with the same arguments: tables that were whole are passed over. That stays so after its
 * end, until `forgetLoad`: the other half of the restore may still fail.
 *
 * Nothing reaches the server but what a dump of ours holds: see `sqlScanner` and `programStatements`.
 *
 * @throws {TargetNotEmptyError} refused: the schema holds something else
 * @throws {LoadFailedError} fatal: names the table and the server's error number, never a value
 * @throws {IntegrityError} the stream ends before its end mark, or holds anything that no dump of ours does
 */
export const loadDatabase = async (
  access: DatabaseAccess,
  dump: LoadableDump,
  stream: Readable,
  settings: LoadSettings,
): Promise<void> => {
  await using control = await connect(access, "information_schema");
  await assertServer(control, dump);
  const done = await prepareSchema(control, access, dump);
  await control.run("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, unique_checks = 0");
  await control.run("SET SESSION innodb_strict_mode = 0").catch(() => {}); // old row formats may be wider than today's rules

  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
  };
  let table = "";
  const workers = Array.from({ length: Math.max(2, Math.min(4, availableParallelism())) }, () =>
    startWorker(access, settings, fail, () => table),
  );
  const first = workers[0] as Worker;
  const wanted = new Map(dump.database.tables.map((entry) => [entry.name, entry]));
  const open = new Map<string, { pending: number; ended: boolean; addKeys?: string | undefined }>();
  const recorded: Promise<void>[] = [];
  let current = first;
  let bytes = 0;
  let run = 0; // bytes of the run under way
  let uncommitted: (() => void) | undefined;

  /** The one with the least to do, other than the one that just had its run. */
  const nextWorker = async (last?: Worker): Promise<Worker> => {
    const others = workers.filter((worker) => worker !== last);
    const next = (
      others.some(({ occupied }) => !occupied) ? others.filter(({ occupied }) => !occupied) : workers
    ).reduce((best, worker) => (worker.backlog() < best.backlog() ? worker : best));
    await flushed(next.child.stdin);
    return next;
  };
  /** Ends the transaction under way, which holds rows of one table. */
  const endRun = (): void => {
    run = 0;
    uncommitted?.();
    uncommitted = undefined;
  };
  /** Keys to add as soon as a connection stands between two statements. */
  const waitingKeys: { readonly name: string; readonly sql: string }[] = [];
  let keysSent = 0;
  const sendKeys = (): void => {
    for (const worker of workers) {
      if (worker.occupied || worker.midStatement) continue;
      const next = waitingKeys.shift();
      if (!next) return;
      worker.occupied = true;
      keysSent++;
      worker.child.stdin.write(next.sql);
      worker.whenDone(() => {
        worker.occupied = false;
        const state = open.get(next.name);
        if (state) state.pending--;
        record(next.name);
        sendKeys();
      });
    }
  };
  const addKeys = (name: string, sql: string): void => {
    const state = open.get(name);
    if (!state) return;
    state.pending++;
    state.addKeys = undefined;
    waitingKeys.push({ name, sql });
    sendKeys();
  };
  const record = (name: string): void => {
    const state = open.get(name);
    if (!state?.ended || state.pending > 0 || done.has(name)) return;
    if (state.addKeys) {
      addKeys(name, state.addKeys);
      return;
    }
    done.add(name);
    const saved = control.run(`INSERT IGNORE INTO ${progressTable} VALUES (?, ?)`, [dump.dumpId, name]);
    saved.catch(fail);
    recorded.push(saved);
  };
  const unfinished = () => [...open].filter(([name, { ended }]) => ended && !done.has(name)).map(([name]) => name);
  const settle = async (): Promise<void> => {
    for (;;) {
      const before = keysSent;
      await Promise.all(
        workers.map((worker) =>
          Promise.race([new Promise<void>((resolve) => worker.whenDone(resolve)), worker.child.ended]),
        ),
      );
      if (failure) throw failure;
      const left = unfinished();
      if (left.length === 0) break;
      // The last rows of a table call for its keys; without any, rows were sent that no connection vouches for.
      if (keysSent === before)
        throw new LoadFailedError(`${left.length} tables did not arrive, the first is ${left[0]}`);
    }
    await Promise.all(recorded);
  };

  /** Programs are made when all else is loaded, and only if they are, byte for byte, what the manifest says. */
  const programTexts = new Map<ProgramSection, { readonly chunks: Buffer[]; length: number }>();
  const loadAllPrograms = async (): Promise<void> => {
    const found = dump.database.programs.map(({ section, sha256 }) => {
      const sql = Buffer.concat(programTexts.get(section)?.chunks ?? []);
      if (hash("sha256", sql) !== sha256)
        throw new IntegrityError(`the dump's ${section} are not those that were written`);
      programStatements(sql.toString("latin1"), [section]);
      return { section, sql };
    });
    for (const { section, sql } of found) {
      settings.onProgram?.(section, sql);
      if (settings.skip?.includes(section)) continue;
      table = section;
      await loadPrograms(access, sql, { signal: settings.signal, sections: [section] });
    }
  };

  const handler: SectionHandler = {
    structure: async (name, sql, does) => {
      table = `table ${name}`;
      if (!wanted.has(name) || name === progressTable)
        throw new IntegrityError(`the dump holds table ${name}, which is not in its manifest`);
      if (done.has(name) || does === "session") return; // sessions are set by us
      const many = (wanted.get(name)?.rows ?? 0) >= deferKeysFrom;
      const { create, addKeys } = many ? deferKeys(sql) : { create: sql };
      open.set(name, { pending: 0, ended: false, addKeys: addKeys ?? open.get(name)?.addKeys });
      await control.run(create).catch((error: unknown) => {
        if (!(error instanceof DatabaseFailedError)) throw error;
        throw new LoadFailedError(`making table ${name}: ${error.message}`, { cause: error });
      });
    },
    rows: async (name, chunk, statementEnds) => {
      table = `table ${name}`;
      const state = open.get(name);
      if (done.has(name) || !state) return;
      run += chunk.length;
      const worker = current;
      worker.midStatement = !statementEnds;
      await worker.write(chunk);
      if (!uncommitted) {
        state.pending++;
        uncommitted = () =>
          worker.whenDone(() => {
            state.pending--;
            record(name);
          });
      }
      if (!statementEnds) return;
      sendKeys();
      if (run < runBytes) return;
      endRun();
      // Rows without a primary key keep their order, so they stay on one connection.
      if (wanted.get(name)?.keyed) current = await nextWorker(current);
    },
    tableEnds: async (name) => {
      const state = open.get(name);
      if (!state) return;
      endRun();
      if (current.occupied || !wanted.get(name)?.keyed) current = await nextWorker();
      if (wanted.get(name)?.exact && !exactRowsSeen(name)) return;
      state.ended = true;
      record(name);
    },
    program: async (section, chunk) => {
      const written = dump.database.programs.find((known) => known.section === section);
      const text = programTexts.get(section) ?? { chunks: [], length: 0 };
      programTexts.set(section, text);
      text.length += chunk.length;
      if (text.length > (written?.byteLength ?? 0))
        throw new IntegrityError(`the dump's ${section} are not those that were written`);
      text.chunks.push(Buffer.from(chunk));
    },
  };
  const scanner = sqlScanner(
    (name) => wanted.get(name)?.keyed ?? false,
    handler,
    (message) => new IntegrityError(message),
  );
  // Tables with exact rows come twice: their structure among the others, their rows behind.
  const endedOnce = new Set<string>();
  const exactRowsSeen = (name: string): boolean => {
    if (endedOnce.has(name)) return true;
    endedOnce.add(name);
    return false;
  };

  try {
    for await (const chunk of inBlocks(stream)) {
      settings.signal.throwIfAborted();
      if (failure) throw failure;
      bytes += chunk.length;
      if (bytes > dump.database.byteLength)
        throw new IntegrityError("the database dump holds more bytes than its manifest says");
      await scanner.push(chunk);
      settings.progress({
        step: "load",
        bytes,
        totalBytes: dump.database.byteLength,
        rows: scanner.rows(),
        ...(table ? { detail: table } : {}),
      });
    }
    await settle();
    for (const worker of workers) await worker.finish();
    await Promise.all(recorded);
    if (!scanner.finish().complete) throw new IntegrityError("the database dump ends before its end mark");
    const missing = dump.database.tables.filter(({ name }) => !done.has(name));
    if (missing.length > 0)
      throw new LoadFailedError(`${missing.length} tables were not loaded, the first is ${missing[0]?.name}`);
    await loadAllPrograms();
  } catch (error) {
    const first = failure ?? error; // what comes after is our own killing
    for (const worker of workers) worker.child.kill("SIGKILL");
    await Promise.all(workers.map((worker) => worker.child.ended));
    throw first;
  }
};

/**
 * Removes a schema that this program made to load a dump into. Absent is fine.
 *
 * @throws {TargetNotEmptyError} refused: it holds something, and no sign that a load of ours put it there
 */
export const dropLoaded = async (control: DatabaseConnection, schema: string): Promise<void> => {
  const held = await control.rows(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?
     UNION ALL SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?
     UNION ALL SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`,
    [schema, schema, schema],
  );
  if (held.length > 0 && !held.some((row) => row.name === progressTable))
    throw new TargetNotEmptyError(
      `schema ${schema} is to be removed for the next load, and holds ${held.length} things that no load of this program put there: look what it is, and move it or drop the schema yourself`,
    );
  await control.run(`DROP DATABASE IF EXISTS ${quoteName(schema)}`);
};

/** Removes what a load keeps to be able to go on. Safe to repeat; from now on the schema counts as anybody's. */
export const forgetLoad = async (access: DatabaseAccess): Promise<void> => {
  await using control = await connect(access);
  await control.run(`DROP TABLE IF EXISTS ${progressTable}`);
};
