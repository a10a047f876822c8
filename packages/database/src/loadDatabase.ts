import type { Readable } from "node:stream";
import { DatabaseFailedError, IntegrityError, LoadFailedError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { inBlocks } from "@openemr-ops/files/byteSink";
import type { DatabaseAccess } from "./access.ts";
import { connect, type DatabaseConnection } from "./connection.ts";
import { deferKeys, referredTables } from "./deferredKeys.ts";
import type { PartReader } from "./dumpPart.ts";
import { unknownToServer } from "./knownCollations.ts";
import type { LoadableDump } from "./loadableDump.ts";
import { loadPrograms } from "./loadClient.ts";
import { assertServer, prepareSchema, progressTable } from "./loadTarget.ts";
import { startLoadWorker } from "./loadWorker.ts";
import { startLoadWorkers } from "./loadWorkers.ts";
import { type RowRuns, rowRuns } from "./rowRuns.ts";
import {
  type ProgramSection,
  programSections,
  type SectionHandler,
  type StreamDigest,
  sqlScanner,
} from "./sqlScanner.ts";
import { addingKeys, type TablesUnderWay, tablesUnderWay } from "./tablesUnderWay.ts";
import { type WrittenPrograms, writtenPrograms } from "./writtenPrograms.ts";

export interface LoadSettings {
  readonly mariadb: string;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Sections not to load: a drill must not start events. */
  readonly skip?: readonly ProgramSection[];
  /** Receives the SQL of a section of programs once it was read whole and taken, also where it is not loaded. */
  readonly onProgram?: (section: ProgramSection, sql: Buffer) => void;
  /** Tables with so many rows get their keys when these are in. */
  readonly deferKeysFrom?: number | undefined;
  /** Load this part alone. */
  readonly part?: PartReader | undefined;
}

/** Tables with fewer rows are not worth a second statement. */
const usuallyDeferredFrom = 10_000;

/** What each section of the stream calls for. */
const sectionHandler = (
  control: DatabaseConnection,
  wanted: ReadonlyMap<string, LoadableDump["database"]["tables"][number]>,
  tables: TablesUnderWay,
  rows: RowRuns,
  programs: WrittenPrograms,
  deferKeysFrom: number,
  doing: (what: string) => void,
): SectionHandler => {
  // Tables with exact rows come twice: their structure among the others, their rows behind.
  const endedOnce = new Set<string>();
  const referredTo = new Set<string>();
  const run = (statement: string, what: string) =>
    control.run(statement).catch((error: unknown) => {
      if (!(error instanceof DatabaseFailedError)) throw error;
      const { errno = 0 } = (error.cause ?? {}) as { readonly errno?: number };
      if (unknownToServer.has(errno)) throw new TargetUnsuitableError(`${what}: ${error.message}`, { cause: error });
      throw new LoadFailedError(`${what}: ${error.message}`, { cause: error });
    });
  return {
    structure: async (name, sql, does) => {
      doing(`table ${name}`);
      const table = wanted.get(name);
      if (!table || name === progressTable)
        throw new IntegrityError(`the dump holds table ${name}, which is not in its manifest`);
      if (tables.isDone(name) || does === "session") return; // sessions are set by us
      for (const other of referredTables(sql)) {
        referredTo.add(other);
        await tables.makeKeys(other, (addKeys) => run(addKeys, addingKeys(other)));
      }
      const later = table.rows >= deferKeysFrom && !referredTo.has(name);
      const { create, addKeys } = later ? deferKeys(sql) : { create: sql };
      tables.begin(name, addKeys);
      await run(create, `making table ${name}`);
    },
    rows: async (name, chunk, statementEnds) => {
      doing(`table ${name}`);
      if (!tables.isOpen(name)) return;
      await rows.write(name, chunk, statementEnds, wanted.get(name)?.keyed ?? false);
    },
    tableEnds: async (name) => {
      if (!tables.isOpen(name)) return;
      const { keyed = false, exact = false } = wanted.get(name) ?? {};
      await rows.end(keyed);
      if (exact && !endedOnce.has(name)) endedOnce.add(name);
      else tables.end(name);
    },
    program: async (section, chunk) => programs.add(section, chunk),
  };
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
 * @returns the digest of the stream as far as it was read, also of tables that were passed over
 * @throws {TargetNotEmptyError} refused: the schema holds something else
 * @throws {LoadFailedError} fatal: names the table and the server's error number, never a value
 * @throws {IntegrityError} the stream ends before its end mark, or holds anything that no dump of ours does
 */
export const loadDatabase = async (
  access: DatabaseAccess,
  dump: LoadableDump,
  stream: Readable,
  settings: LoadSettings,
): Promise<StreamDigest> => {
  const { signal } = settings;
  await using control = await connect(access, "information_schema");
  const session = await assertServer(
    control,
    dump,
    programSections.filter((section) => !settings.skip?.includes(section)),
  );
  const done = await prepareSchema(control, access, dump);
  await control.run("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', foreign_key_checks = 0, unique_checks = 0");

  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
  };
  const throwIfFailed = (): void => {
    if (failure) throw failure;
  };
  const save = (name: string): Promise<void> => {
    const saved = control.run(`INSERT IGNORE INTO ${progressTable} VALUES (?, ?)`, [dump.dumpId, name]);
    saved.catch(fail);
    return saved;
  };
  let doing = "";
  const workers = await startLoadWorkers(() => startLoadWorker(access, { ...settings, session }, fail));
  const tables = tablesUnderWay(workers, done, save, throwIfFailed);
  const programs = writtenPrograms(dump.database.programs);
  const wanted = new Map(dump.database.tables.map((table) => [table.name, table]));
  const rows = rowRuns(workers, tables);
  const { deferKeysFrom = usuallyDeferredFrom } = settings;
  const loader = sectionHandler(control, wanted, tables, rows, programs, deferKeysFrom, (what) => {
    doing = what;
  });
  const { part } = settings;
  const scanner = sqlScanner(
    (name) => wanted.get(name)?.keyed ?? part !== undefined, // what is passed over is digested in order: that is faster
    part ? part.handler(loader) : loader,
    (message) => new IntegrityError(message),
  );

  const readAll = async (): Promise<void> => {
    let bytes = 0;
    for await (const chunk of inBlocks(stream)) {
      signal.throwIfAborted();
      throwIfFailed();
      bytes += chunk.length;
      if (bytes > dump.database.byteLength)
        throw new IntegrityError("the database dump holds more bytes than its manifest says");
      await scanner.push(chunk);
      if (part?.enough()) break;
      settings.progress({
        step: "load",
        bytes,
        totalBytes: dump.database.byteLength,
        rows: scanner.rows(),
        ...(doing ? { detail: doing } : {}),
      });
    }
  };
  const loadAllPrograms = async (): Promise<void> => {
    for (const { section, sql } of programs.whole()) {
      settings.onProgram?.(section, sql);
      if (settings.skip?.includes(section)) continue;
      doing = section;
      await loadPrograms(access, sql, { signal, sections: [section] });
    }
  };

  try {
    await readAll();
    await tables.settle();
    await workers.finish();
    const digest = scanner.finish();
    if (!digest.complete && !part?.enough()) throw new IntegrityError("the database dump ends before its end mark");
    const loaded = part?.taken() ?? dump.database.tables;
    const missing = loaded.filter(({ name }) => !done.has(name));
    if (missing.length > 0)
      throw new LoadFailedError(`${missing.length} tables were not loaded, the first is ${missing[0]?.name}`);
    await loadAllPrograms();
    return digest;
  } catch (error) {
    const first = failure ?? error; // what comes after is our own killing
    await workers.kill();
    throw first;
  }
};
