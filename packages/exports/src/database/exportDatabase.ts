import { IntegrityError, type OpsError, TargetNotEmptyError, toOpsError } from "@openemr-ops/core/errors";
import { connectReadOnly, type DatabaseConnection, withoutTimeLimit } from "@openemr-ops/database/connection";
import { isHarmlessSetting } from "@openemr-ops/openemr/privacy/secrets";
import { baseTable } from "@openemr-ops/openemr/sqlReader";
import type { DatabaseExportContext, DatabaseExportResult, PartialTable, SkippedTable } from "../context.ts";
import { PageBuffers } from "../parquet/pageBuffers.ts";
import type { ExportedColumn, ExportedTablePlan } from "../profiles/profile.ts";
import { concernsOneTable } from "./brokenTable.ts";
import { registerTables } from "./catalogue.ts";
import { describeTables } from "./describeTables.ts";
import { athenaDocument, type ExportFacts, manifestDocument, schemaDocument, tablesToRegister } from "./documents.ts";
import { TableExport, type TableReport } from "./exportTable.ts";
import { directoryOf } from "./objectName.ts";
import { type ExportPlan, type PlannedTable, planExport } from "./planExport.ts";
import type { StoredFile } from "./storedFile.ts";

export interface DatabaseExportRequest {
  readonly exportId: string;
  /** All that the profile lets leave, when not set. */
  readonly tables?: readonly string[] | undefined;
  /** A day such as `2026-01-31`: of tables whose rows never change, those written before stay. Not set: all tables are whole. */
  readonly since?: string | undefined;
}

const shown = 10;
/** Tables whose last bytes are on their way while the next one is read; larger ones are waited for. */
const mostFinishing = 4;
const largeBytes = 4 * 1024 * 1024;
const savepoint = "export_table";

/** What an export would write of a table. */
export interface TableToExport extends Pick<ExportedTablePlan, "table" | "dropped"> {
  readonly estimatedRows: number;
  /** Rows that were written before this day stay. */
  readonly since?: string;
  readonly columns: readonly Pick<ExportedColumn, "name" | "treatment">[];
}

export interface DatabaseExportPlan {
  readonly tables: readonly TableToExport[];
  readonly skipped: readonly SkippedTable[];
}

/** The plan of an export, without a row of it. @throws as `exportDatabase` does before it reads rows */
export const planDatabaseExport = async (
  { database, profile, assertPlace }: Pick<DatabaseExportContext, "database" | "profile" | "assertPlace">,
  { tables, since }: Pick<DatabaseExportRequest, "tables" | "since">,
): Promise<DatabaseExportPlan> => {
  await assertPlace?.();
  await using connection = await connectReadOnly(database);
  const plan = planExport(await describeTables(connection), profile, tables, since);
  return {
    tables: plan.tables.map(({ described: { estimatedRows }, plan: { table, columns, dropped, leftOut } }) => ({
      table,
      estimatedRows,
      ...(since !== undefined && leftOut !== undefined ? { since } : {}),
      columns: columns.map(({ name, treatment }) => ({ name, treatment })),
      dropped,
    })),
    skipped: plan.skipped,
  };
};

/** OpenEMR's own zone, in which its DATETIME columns are; none where it is not set, or there is no OpenEMR. */
const openEmrZone = async (connection: DatabaseConnection, plan: ExportPlan): Promise<string | null> => {
  const globals = plan.tables.find(({ described }) => described.name === "globals")?.described;
  if (!globals?.columns.some(({ name }) => name === "gl_value")) return null;
  const [row] = await connection.rows(
    `SELECT gl_value AS zone FROM ${baseTable("globals")} WHERE gl_name = 'gbl_time_zone'`,
  );
  // What was typed there instead goes no further: nobody looks for a secret beside the data.
  return row?.zone && isHarmlessSetting("gbl_time_zone", row.zone) ? row.zone : null;
};

const factsOf = async (
  connection: DatabaseConnection,
  { installation, profile, destination }: DatabaseExportContext,
  {
    exportId,
    prefix,
    plan,
    since,
  }: Pick<DatabaseExportRequest, "exportId" | "since"> & { readonly prefix: string; readonly plan: ExportPlan },
): Promise<ExportFacts> => {
  const [row] = await connection.rows(
    "SELECT UTC_TIMESTAMP(6) AS moment, VERSION() AS version, @@hostname AS host, @@global.time_zone AS zone, @@system_time_zone AS machine",
  );
  return {
    exportId,
    installation,
    profile: profile.name,
    schema: plan.schema,
    ...(since === undefined ? {} : { since }),
    location: `${destination.url}/${prefix}`,
    snapshotAt: `${row?.moment?.replace(" ", "T")}Z`,
    server: { version: row?.version ?? "", name: row?.host ?? "" },
    zones: {
      server: (row?.zone === "SYSTEM" ? row.machine : row?.zone) ?? null,
      openemr: await openEmrZone(connection, plan),
    },
  };
};

/** @throws {TargetNotEmptyError} refused: an earlier run has written there, and its files would be taken for this one's */
const assertUnused = async ({ destination }: DatabaseExportContext, prefix: string): Promise<void> => {
  for await (const { key } of destination.list(`${prefix}/`))
    throw new TargetNotEmptyError(
      `${destination.url} already contains ${key}: start the export again, each run has a directory of its own`,
    );
};

/**
 * Compares what is at the destination with what was written.
 *
 * @throws {IntegrityError} damaged: something is absent, has another size, or is not of this export
 */
const assertStored = async (
  { destination }: DatabaseExportContext,
  prefix: string,
  files: readonly StoredFile[],
): Promise<void> => {
  const expected = new Map(files.map(({ path, bytes }) => [`${prefix}/${path}`, bytes]));
  for await (const { key, byteLength } of destination.list(`${prefix}/`)) {
    const bytes = expected.get(key);
    if (bytes !== byteLength)
      throw new IntegrityError(
        bytes === undefined
          ? `${key} is not of this export: nothing else may write to its directory`
          : `${key} has ${byteLength} bytes and was written with ${bytes}: see the store's log, and export again`,
      );
    expected.delete(key);
  }
  const [missing] = expected.keys();
  if (missing !== undefined)
    throw new IntegrityError(`${missing} was written and is not there: see the store's log, and export again`);
};

/** Reads all tables, one after the other, from one snapshot on one connection. */
class Run {
  readonly reports: TableReport[] = [];
  readonly skipped: SkippedTable[];
  readonly #context: DatabaseExportContext;
  readonly #connection: DatabaseConnection;
  readonly #prefix: string;
  readonly #plan: ExportPlan;
  readonly #buffers = new PageBuffers();
  readonly #finishing = new Set<Promise<void>>();
  #failure: OpsError | undefined;
  #rows = 0;

  constructor(context: DatabaseExportContext, connection: DatabaseConnection, prefix: string, plan: ExportPlan) {
    this.#context = context;
    this.#connection = connection;
    this.#prefix = prefix;
    this.#plan = plan;
    this.skipped = [...plan.skipped];
  }

  async all(): Promise<void> {
    try {
      for (const [index, planned] of this.#plan.tables.entries()) {
        this.#context.signal.throwIfAborted();
        await this.#one(planned, index);
        if (this.#failure) throw this.#failure;
      }
    } finally {
      await Promise.all(this.#finishing);
    }
    if (this.#failure) throw this.#failure;
    const order = new Map(this.#plan.tables.map(({ described }, index) => [described.name, index]));
    this.reports.sort((one, other) => (order.get(one.table) ?? 0) - (order.get(other.table) ?? 0));
  }

  #report(table: string, rows: number): void {
    const bytes = this.reports.reduce((sum, report) => sum + report.bytes, 0);
    this.#context.progress({ step: "database", detail: table, rows: this.#rows + rows, bytes });
  }

  async #one(planned: PlannedTable, index: number): Promise<void> {
    const { destination, signal } = this.#context;
    const { name } = planned.described;
    const table = new TableExport(planned, {
      destination,
      prefix: this.#prefix,
      directory: directoryOf(this.#plan.schema, name, index),
      buffers: this.#buffers,
      signal,
      onRows: (rows) => this.#report(name, rows),
    });
    // What a transaction has read cannot be altered until it ends; this releases it, and keeps the snapshot.
    await this.#connection.run(`SAVEPOINT ${savepoint}`);
    try {
      await table.read(this.#connection);
    } catch (error) {
      const nothingLeft = await table.abandon(toOpsError(error));
      this.#context.signal.throwIfAborted();
      if (planned.named || !nothingLeft || !concernsOneTable(error)) throw error;
      const { message } = toOpsError(error);
      this.skipped.push({ table: name, reason: message });
      this.#context.warn(`table ${name} was left out: ${message}`);
      return;
    } finally {
      await this.#connection.run(`ROLLBACK TO SAVEPOINT ${savepoint}`).catch(() => {}); // the next statement reports it
    }
    const finishing = this.#finish(table, name).finally(() => this.#finishing.delete(finishing));
    this.#finishing.add(finishing);
    if (table.receivedBytes > largeBytes) await finishing;
    while (this.#finishing.size >= mostFinishing) await Promise.race(this.#finishing);
  }

  /** Never throws: what failed ends the run at the next table. */
  async #finish(table: TableExport, name: string): Promise<void> {
    try {
      const report = await table.finish();
      this.reports.push(report);
      this.#rows += report.rows;
      this.#report(name, 0);
    } catch (error) {
      this.#failure ??= toOpsError(error);
    }
  }
}

const sum = (reports: readonly TableReport[], of: (report: TableReport) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);

const partialOf = (reports: readonly TableReport[]): readonly PartialTable[] =>
  reports.flatMap(({ table, leftOut }) => (leftOut === undefined ? [] : [{ table, leftOut }]));

/**
 * Exports the schema's tables as Parquet, with their description, from one snapshot. `_SUCCESS` is the last object, written when
 * all others are there: what is without it is no export.
 *
 * One connection reads all: only so do all tables of a server that may not be locked have one moment. There is no lock and no
 * local file.
 *
 * @throws {InvalidInputError} fatal: a named table is unknown or does not leave; `since` would leave no row out
 * @throws {TargetNotEmptyError} refused: the identifier was used before
 * @throws {IntegrityError} damaged: the destination does not have what was written
 * @throws the `Database…Error` and `Destination…Error` families
 */
export const exportDatabase = async (
  context: DatabaseExportContext,
  { exportId, tables, since }: DatabaseExportRequest,
): Promise<DatabaseExportResult> => {
  const { destination, database, profile, now } = context;
  const begun = now().getTime();
  const prefix = `database/${exportId}`;
  await context.assertPlace?.();
  await assertUnused(context, prefix);
  await using connection = await connectReadOnly(database);
  const plan = planExport(await describeTables(connection), profile, tables, since);
  await withoutTimeLimit(connection);
  await connection.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  await connection.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
  const facts = await factsOf(connection, context, { exportId, prefix, plan, since });
  const run = new Run(context, connection, prefix, plan);
  await run.all();
  const { reports, skipped } = run;

  const stored: StoredFile[] = reports.flatMap(({ files }) => files);
  for (const [path, text] of [
    ["_schema.json", schemaDocument(reports)],
    ["_athena.sql", athenaDocument(reports, facts)],
    ["_manifest.json", manifestDocument(facts, reports, skipped)],
  ] as const) {
    const { byteLength, sha256 } = await destination.put(`${prefix}/${path}`, Buffer.from(text));
    stored.push({ path, bytes: byteLength, sha256 });
  }
  await assertStored(context, prefix, stored);
  context.signal.throwIfAborted();
  await destination.put(`${prefix}/_SUCCESS`, Buffer.alloc(0));
  const { catalogue, warn } = context;
  if (catalogue)
    await registerTables(catalogue, tablesToRegister(reports, facts), `${destination.url}/database/`, warn);
  return {
    exportId,
    location: facts.location,
    profile: profile.name,
    tables: reports.length,
    rows: sum(reports, ({ rows }) => rows),
    bytes: sum(reports, ({ bytes }) => bytes),
    seconds: (now().getTime() - begun) / 1000,
    skipped,
    ...(since === undefined ? {} : { since, partial: partialOf(reports) }),
    largest: [...reports]
      .sort((one, other) => other.bytes - one.bytes)
      .slice(0, shown)
      .map(({ table, rows, bytes, rawBytes, files }) => ({ table, rows, bytes, rawBytes, files: files.length })),
  };
};
