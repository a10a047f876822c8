import { chmod } from "node:fs/promises";
import { InvalidInputError, onThisMachine } from "@openemr-ops/core/errors";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import { connect } from "@openemr-ops/database/connection";
import type { DumpPart } from "@openemr-ops/database/dumpPart";
import { dropLoaded, forgetLoad } from "@openemr-ops/database/loadTarget";
import { journalIn } from "@openemr-ops/files/journal";
import type { DumpContext } from "../context.ts";
import { type FileSelection, selectByPatterns, selectPaths } from "../fileSelection.ts";
import type { Manifest } from "../manifest.ts";
import { makeStage, publish, type Stage } from "../staging/publish.ts";
import { treeIn } from "../staging/stagedTree.ts";
import { assertRestoreServer } from "./assertRestoreServer.ts";
import { compareTables, type Difference } from "./compare.ts";
import { chooseDump } from "./listDumps.ts";
import { assertAllMatch, type FoundFiles, findFiles, takeFiles } from "./partFiles.ts";
import { assertTables, type PartOptions, type PartTarget, partId, partTarget, siteOf } from "./partOptions.ts";
import { type PartRows, takeRows } from "./partRows.ts";
import { type PatientDocuments, patientPart } from "./patientPart.ts";
import { assertPassed, type Verdict } from "./verdict.ts";

interface PartFigures {
  readonly dumpId: string;
  readonly takenAt: string;
  /** Never a whole restore. */
  readonly part: "tables" | "files" | "tables and files" | "patient";
  readonly target: PartTarget;
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly rows: number;
  readonly files: number;
  readonly filesBytes: number;
}

/** What a restore of a part would do. Nothing was written. */
export interface PartPlan extends PartFigures {
  readonly dryRun: true;
}

/** Outcome of a restore of a part, with its evidence. */
export interface PartVerdict extends PartFigures, Pick<Verdict, "verdict" | "differences" | "dropped" | "notRestored"> {
  readonly seconds: { readonly restore: number; readonly compare: number };
  /** What the part does not hold, and what a person does next. */
  readonly remarks: readonly string[];
}

const isAbsent = (documents: PatientDocuments, { unmatched }: FoundFiles): number =>
  unmatched.filter((number) => number < documents.files.length).length;

const partOf = ({ tables, files, patient }: PartOptions): PartFigures["part"] => {
  if (patient !== undefined) return "patient";
  return tables?.length && files?.length ? "tables and files" : tables?.length ? "tables" : "files";
};

/** What to read, once it is known which dump it is. */
const selected = (manifest: Manifest, options: PartOptions) => {
  const { tables = [], files = [], patient } = options;
  assertTables(manifest, tables);
  const of = patient === undefined ? undefined : patientPart(patient, manifest.database.tables);
  const site = of && siteOf(manifest, options.site);
  let left: DumpPart | undefined =
    tables.length > 0
      ? { only: new Set(tables), select: (name) => (tables.includes(name) ? "all" : undefined) }
      : undefined;
  const once = (): DumpPart | undefined => {
    const part = left;
    left = undefined;
    return part;
  };
  return {
    next: of ? of.next : once,
    documents: of?.documents,
    /** Files; of a patient known once the rows have passed. */
    selection: (): FileSelection | undefined => {
      if (files.length > 0) return selectByPatterns(files);
      if (!of) return undefined;
      const { files: own, thumbnails } = of.documents();
      const paths = [...own, ...thumbnails].map((path) => `${site}/documents/${path}`);
      return paths.length > 0 ? selectPaths(paths) : undefined;
    },
  };
};

/** @throws {InvalidInputError} fatal: no row of the dump holds the patient's number. The message does not contain the number, because records keep it. */
const assertPatient = ({ dumpId }: Manifest, { tables }: PartRows, { patient }: PartOptions): void => {
  if (patient !== undefined && tables.every(({ rows }) => rows === 0))
    throw new InvalidInputError([
      { path: "patient", message: `no row of dump ${dumpId} holds this patient's number (pid)` },
    ]);
};

const figuresOf = (
  manifest: Manifest,
  options: PartOptions,
  target: PartTarget,
  rows: PartRows | undefined,
  files: Pick<FoundFiles, "files" | "filesBytes"> | undefined,
): PartFigures => {
  const tables = rows?.tables ?? [];
  return {
    dumpId: manifest.dumpId,
    takenAt: manifest.takenAt,
    part: partOf(options),
    target,
    tables: tables.map(({ name, rows: count }) => ({ table: name, rows: count })),
    rows: tables.reduce((sum, { rows: count }) => sum + count, 0),
    files: files?.files ?? 0,
    filesBytes: files?.filesBytes ?? 0,
  };
};

/** Reads and checks, and writes nothing. Of a patient it reads the dump's rows, of tables the manifest alone. */
export const planPart = async (context: DumpContext, options: PartOptions): Promise<PartPlan> => {
  const target = await partTarget(context, options);
  if (options.files) selectByPatterns(options.files);
  const manifest = await chooseDump(context, options.dump);
  const { next, selection } = selected(manifest, options);
  if (target.database !== undefined) await assertRestoreServer(context);
  const { tables = [] } = options;
  const rows = options.tables
    ? { tables: manifest.database.tables.filter(({ name }) => tables.includes(name)), wholeRows: [] }
    : await takeRows(context, manifest, next);
  assertPatient(manifest, rows, options);
  const wanted = selection();
  const found = wanted && (await findFiles(context, manifest, wanted));
  if (found && options.files) assertAllMatch(manifest, found.unmatched, options.files.length);
  return { dryRun: true, ...figuresOf(manifest, options, target, rows, found) };
};

const remarksOf = (
  options: PartOptions,
  { database, sites }: PartTarget,
  documents: PatientDocuments | undefined,
  absent: number,
): readonly string[] => [
  "this is a part of the dump: no OpenEMR can run on it; copy from it what is missing",
  ...(database === undefined ? [] : ["triggers, views, routines and events are not restored"]),
  ...(options.patient === undefined
    ? []
    : [
        "rows that only mention the patient in a text, and rows of modules that have no column pid or patient_id, are not among these; log_comment_encrypt has the rest of the audit log",
        "files are as they are stored: an encrypted document opens only with the keys of its installation",
      ]),
  ...(documents && documents.elsewhere > 0
    ? [`${documents.elsewhere} documents are in CouchDB or elsewhere, and so in no dump`]
    : []),
  ...(absent > 0 ? [`${absent} documents have no file in the dump`] : []),
  ...(sites === undefined ? [] : [`remove ${sites} when you have what you need: it holds patient data`]),
  ...(database === undefined ? [] : [`drop schema ${database} when you have what you need: it holds patient data`]),
];

/** More documents without a file than the source had. */
const lostDocuments = (manifest: Manifest, site: string, absent: number): readonly Difference[] =>
  absent > (manifest.documents[site]?.missing ?? 0)
    ? [
        {
          kind: "documents",
          subject: `site ${site}`,
          message: `${absent} rows of documents have a missing file, ${manifest.documents[site]?.missing ?? 0} had at the source`,
        },
      ]
    : [];

/**
 * Restores some tables, some files, or all of one patient, beside the live system: rows into a new schema, files into a new
 * directory. Every row is compared with the dump by digest, every file by the store. It needs room for the part alone.
 *
 * Interrupted, the same call continues with the rows and begins again with the files.
 *
 * @throws {InvalidInputError} fatal: the dump has no such table, file or patient; nothing is left behind
 * @throws {RefusedError} any of: a target is live or not empty, no such dump; nothing was changed
 * @throws {LoadFailedError} fatal: correct the cause, then run again
 * @throws {DamagedError} the restored part is not the dump's
 */
export const restorePart = async (context: DumpContext, options: PartOptions): Promise<PartVerdict> => {
  await context.store.describeTools();
  const target = await partTarget(context, options);
  if (options.files) selectByPatterns(options.files); // refuses before anything is read
  const manifest = await chooseDump(context, options.dump);
  const { next, selection, documents } = selected(manifest, options);
  if (target.database !== undefined) await assertRestoreServer(context);
  const journal = journalIn(context.stateDirectory, context.installation, "restore");
  await journal.sweep(context.warn);
  const elapsed = stopwatch(context.now);
  await using stage = await stageFor(context, target);
  try {
    const take = async () => {
      const wanted = selection();
      if (!stage || !wanted) return undefined;
      return takeFiles(context, manifest, wanted, stage.staging, (found) => {
        if (options.files) assertAllMatch(manifest, found.unmatched, options.files.length);
      });
    };
    // A pattern without files ends it before a row is loaded; which files a patient has is known from the rows.
    const byPatterns = options.files ? await take() : undefined;
    const rows = await loadRows(context, manifest, options, target, next);
    const taken = options.files ? byPatterns : await take();
    const restore = elapsed();
    const comparing = stopwatch(context.now);
    const gone = documents && taken ? isAbsent(documents(), taken.found) : 0;
    const made: PartTarget = taken ? target : { ...target, sites: undefined };
    const differences = [
      ...(await rowDifferences(context, manifest, target, rows)),
      ...(taken?.differences ?? []),
      ...(documents ? lostDocuments(manifest, siteOf(manifest, options.site), gone) : []),
    ];
    const verdict: PartVerdict = {
      ...figuresOf(
        manifest,
        options,
        made,
        rows,
        taken && { files: taken.tree.files, filesBytes: taken.tree.byteLength },
      ),
      verdict: differences.length === 0 ? "passed" : "failed",
      differences,
      dropped: taken?.tree.dropped ?? [],
      notRestored: taken?.tree.notRestored ?? [],
      seconds: { restore, compare: comparing() },
      remarks: remarksOf(options, made, documents?.(), gone),
    };
    assertPassed(verdict);
    const { sites } = target;
    if (stage && taken && sites)
      await onThisMachine("putting the files", sites, async () => {
        await chmod(treeIn(stage.staging), 0o700); // directories on the way to the files have no mode of the dump's
        await publish(stage, sites);
      });
    if (target.database !== undefined) await forgetLoad({ ...context.restoreDatabase, name: target.database });
    return verdict;
  } finally {
    if (stage) await journal.remove(stage.staging).catch(() => {}); // else the next restore does it
  }
};

const stageFor = async (context: DumpContext, { sites }: PartTarget): Promise<Stage | undefined> => {
  if (sites === undefined) return undefined;
  const journal = journalIn(context.stateDirectory, context.installation, "restore");
  return onThisMachine("making a directory for the files", sites, () => makeStage(journal, sites));
};

const loadRows = async (
  context: DumpContext,
  manifest: Manifest,
  options: PartOptions,
  { database }: PartTarget,
  next: () => DumpPart | undefined,
): Promise<PartRows> => {
  if (database === undefined) return { tables: [], wholeRows: [] };
  const access = { ...context.restoreDatabase, name: database };
  await using control = await connect(access, "information_schema");
  const before = await control.rows("SELECT 1 AS made FROM SCHEMATA WHERE SCHEMA_NAME = ?", [database]);
  const rows = await takeRows(context, manifest, next, { access, id: partId(manifest.dumpId, options) });
  try {
    assertPatient(manifest, rows, options);
  } catch (error) {
    // Nothing was loaded, and nothing is to stay.
    await (before.length > 0 ? forgetLoad(access) : dropLoaded(control, database));
    throw error;
  }
  return rows;
};

const rowDifferences = async (
  context: DumpContext,
  manifest: Manifest,
  { database }: PartTarget,
  { tables, wholeRows }: PartRows,
): Promise<readonly Difference[]> => {
  if (database === undefined) return [];
  const byteLength = tables.reduce((sum, table) => sum + table.byteLength, 0);
  const some: Manifest = {
    ...manifest,
    database: { ...manifest.database, byteLength, programs: [], tables: [...tables] },
  };
  return compareTables(context, { ...context.restoreDatabase, name: database }, some, { wholeRows });
};
