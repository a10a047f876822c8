import { IntegrityError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { type ReportProgress, withEstimates } from "@openemr-ops/core/progress";
import { connectReadOnly } from "@openemr-ops/database/connection";
import { describeSource, type SourceDescription } from "@openemr-ops/database/describeSource";
import { type DatabaseDump, dumpDatabase } from "@openemr-ops/database/dumpDatabase";
import { assertSameServer } from "@openemr-ops/database/sameServer";
import { isInnoDbReadOnly } from "@openemr-ops/database/writable";
import { assertLayout, countEssentials } from "@openemr-ops/openemr/assertLayout";
import { unreadableBesideSites } from "@openemr-ops/openemr/besideSites";
import { countInCouchDb } from "@openemr-ops/openemr/documents";
import { excludedContents, excludedFiles } from "@openemr-ops/openemr/sitesLayout";
import { baseTable } from "@openemr-ops/openemr/sqlReader";
import { readDockerVersion, readVersion } from "@openemr-ops/openemr/version";
import type { DumpContext } from "../context.ts";
import {
  type Manifest,
  manifestBytes,
  manifestKey,
  readManifest,
  type SourceWarning,
  sealManifest,
  type UnsealedManifest,
} from "../manifest.ts";
import type { StoredPart, StoredSites } from "../store/dumpStore.ts";
import { assertNotLost } from "./assertNotLost.ts";
import { earlierDumps } from "./earlierDumps.ts";
import { couchDbWarnings, gapWarnings } from "./gapWarnings.ts";
import { inspect, sitesOfDatabase } from "./inspect.ts";
import { logWarnings } from "./logWarnings.ts";
import { rightsWarnings } from "./rightsWarnings.ts";
import { assertDocumentsThere, assertNoSite, compareMounts, mountsIn } from "./sourceMounts.ts";

export interface DumpResult {
  readonly dumpId: string;
  readonly complete: true;
  readonly manifest: Manifest;
  /** Where the store keeps a sealed copy of the manifest. */
  readonly manifestPart?: StoredPart;
  readonly figures: Readonly<Record<string, number>>;
}

/** What a dump would read and where it would go; nothing was written. */
export interface DumpPlan {
  readonly dryRun: true;
  readonly destination: string;
  readonly format: "restic" | "portable";
  readonly server: string;
  readonly tables: number;
  readonly exactTables: readonly string[];
  readonly views: number;
  readonly sites: readonly string[];
  readonly warnings: readonly SourceWarning[];
}

export interface TakeDumpOptions {
  readonly purpose?: "scheduled" | "safety";
  /** Begin a new repository although earlier dumps were made and are not there. */
  readonly forceNewRepository?: boolean;
}

const tableWarnings = (source: SourceDescription): SourceWarning[] => {
  const plain = source.tables.filter(({ engine }) => engine !== "InnoDB");
  return [
    ...(plain.length > 0
      ? [
          {
            code: "tables-without-snapshot",
            message: `${plain.length} tables are not InnoDB, so their rows are of the moment of reading, not of T0: ${plain
              .map(({ name, engine }) => `${name} (${engine})`)
              .slice(0, 5)
              .join(", ")}`,
            count: plain.length,
          },
        ]
      : []),
    ...gapWarnings(source),
    ...rightsWarnings(source),
    ...(source.jsonTables.length > 0
      ? [
          {
            code: "json-types",
            message: `${source.jsonTables.length} tables have JSON columns of MySQL: a DECIMAL, DATETIME or the like that MySQL itself put into a value comes back as a plain number or string, a DECIMAL without zeros at its end and with at most 17 digits: ${source.jsonTables.slice(0, 5).join(", ")}`,
            count: source.jsonTables.length,
          },
        ]
      : []),
    ...(source.runningViews.length > 0
      ? [
          {
            code: "views-not-looked-at",
            message: `views that run a stored function, with the rights of whoever looks at them, are not in the dump: ${source.runningViews.join(", ")}; find out who made them, or take the right EXECUTE from the dump user`,
            count: source.runningViews.length,
          },
        ]
      : []),
    ...(source.brokenViews.length > 0
      ? [
          {
            code: "broken-views",
            message: `views that refer to something absent, or to what the dump user may not run, are not in the dump: ${source.brokenViews.join(", ")}`,
            count: source.brokenViews.length,
          },
        ]
      : []),
  ];
};

/** Escapes what a glob would treat as a pattern. */
const literally = (name: string): string => name.replace(/[\\*?[\]]/g, "\\$&");

const besideWarnings = (names: readonly string[]): SourceWarning[] =>
  names.length === 0
    ? []
    : [
        {
          code: "beside-sites-unreadable",
          message: `${names.length} entries of the sites directory that are no readable site are not in the dump: ${names.slice(0, 5).join(", ")}; what is needed of them, let this program's user read, and if one is a site, all of it`,
          count: names.length,
        },
      ];

const inTheFuture: SourceWarning = {
  code: "dump-in-the-future",
  message: "an earlier dump claims to be of the future: this machine's clock was wrong then, or is now",
};

/** One list of all that the source itself has wrong. */
const inspectionWarnings = ({
  keyProof,
  documents,
  inCouchDb,
  noTables,
}: Awaited<ReturnType<typeof inspect>>): SourceWarning[] => [
  ...noTables.map((name) => ({
    code: "view-instead-of-table",
    message: `${name} is a view where OpenEMR has a table: it was not looked into, for a view can run anything; find out who put it there and where the rows are`,
  })),
  ...couchDbWarnings(inCouchDb),
  ...keyProof.problems.map(({ code, message }) => ({ code, message })),
  ...Object.entries(documents).flatMap(([site, check]) =>
    check.missing > 0
      ? [
          {
            code: "documents-without-file",
            message: `site ${site}: ${check.missing} rows of documents have no file in the sites tree; they had none when the dump was taken`,
            count: check.missing,
          },
        ]
      : [],
  ),
];

/** Reads what a dump would hold, and writes nothing. */
export const planDump = async (context: DumpContext): Promise<DumpPlan> => {
  await context.store.describeTools();
  await context.assertPlace?.();
  await using connection = await connectReadOnly(context.database);
  const exactFrom = (await isInnoDbReadOnly(connection)) ? 0 : Number.POSITIVE_INFINITY;
  const source = await describeSource(connection, context.database.name, { exactFrom });
  const beside = await unreadableBesideSites(context.sitesPath);
  const layout = await assertLayout(context.sitesPath, { leftOut: beside });
  const { sites, warnings } = await sitesOfDatabase(context.sitesPath, context.database);
  await assertNotLost(context, "dump");
  const { newest, future } = await earlierDumps(context);
  return {
    dryRun: true,
    destination: context.destination.url,
    format: context.store.format,
    server: `${source.product} ${source.serverVersion}`,
    tables: source.tables.length,
    exactTables: source.tables.filter(({ exactColumns }) => exactColumns).map(({ name }) => name),
    views: source.views.length,
    sites,
    warnings: [
      ...warnings,
      ...besideWarnings(beside),
      ...(future ? [inTheFuture] : []),
      ...(await compareMounts(context.sitesPath, await mountsIn(context.sitesPath), newest)),
      ...tableWarnings(source),
      ...logWarnings(context, source),
      ...couchDbWarnings(await countInCouchDb(connection)),
      ...layout.map((message) => ({ code: "link-outside", message })),
    ],
  };
};

/**
 * Takes one dump: the database at T0, the sites tree after T0, the manifest last. Both halves are stored side by side.
 *
 * A failure before the manifest is written leaves nothing that counts as a dump. A failure after it leaves one that counts and that
 * nobody has read back. The next run needs no cleaning up.
 *
 * @throws {ToolMissingError} refused: a program that the store needs is missing or too old; nothing was done
 * @throws {ResidencyError} refused: the store is where data may not go; nothing was written
 */
export const takeDump = async (context: DumpContext, options: TakeDumpOptions = {}): Promise<DumpResult> => {
  const { store } = context;
  await store.describeTools();
  await context.assertPlace?.();
  const dumpId = ulid(context.now());
  const startedAt = context.now();
  const halves = new AbortController();
  context.progress({ step: "prepare" });

  const beside = await unreadableBesideSites(context.sitesPath);
  const mounts = await mountsIn(context.sitesPath);
  const { newest: earlier, future } = await earlierDumps(context);
  const progress = expecting(context.progress, earlier);
  const run = { signal: AbortSignal.any([context.signal, halves.signal]), progress };
  assertNoSite(beside, earlier);
  const volumeWarnings = await compareMounts(context.sitesPath, mounts, earlier);
  const layout = assertLayout(context.sitesPath, { leftOut: beside });
  layout.catch(() => {});
  const essentials = await countEssentials(context.sitesPath);
  const { sites, warnings: siteWarnings } = await sitesOfDatabase(context.sitesPath, context.database);
  await store.recover(run);
  if (!options.forceNewRepository) await assertNotLost(context, "dump");
  await store.open(true, run);

  let database: DatabaseDump | undefined;
  let stored: Promise<StoredSites> | undefined;
  let inspection: ReturnType<typeof inspectSource> | undefined;
  let part: StoredPart;
  const stop = (error: unknown) => halves.abort(error);
  try {
    part = await store.writeDatabase(
      { dumpId, takenAt: startedAt },
      async (sink, stopped) => {
        stopped.addEventListener("abort", () => stop(stopped.reason), { once: true });
        database = await dumpDatabase(context.database, sink, {
          mariadbDump: context.tools.mariadbDump,
          stallSeconds: context.stallSeconds,
          now: context.now,
          signal: run.signal,
          progress,
          onSnapshot: (takenAt, server) => {
            const exclude = [...excludedContents, ...excludedFiles, ...beside.map(literally)];
            stored = store.writeSites({ dumpId, takenAt, sitesPath: context.sitesPath, exclude }, run);
            stored.then(({ files, byteLength }) => progress(ended("sites", byteLength, { files }))).catch(stop);
            inspection = inspectSource(context, sites, server);
            inspection.catch(stop);
          },
        });
      },
      run,
    );
    if (database) progress(ended("database", database.digest.byteLength, { rows: rowsOf(database) }));
    await Promise.all([stored, inspection, layout]);
    assertWhole((await stored)?.files ?? 0, essentials);
    assertDocumentsThere(volumeWarnings, (await inspection)?.documents ?? {}, earlier);
  } catch (error) {
    stop(error);
    await Promise.allSettled([stored, inspection, layout]);
    await store.remove([{ dumpId, parts: [] }], { ...run, signal: AbortSignal.timeout(60_000) }).catch(() => {});
    await store.recover({ ...run, signal: AbortSignal.timeout(60_000) }).catch(() => {});
    // The half that failed first aborted the other; its error is the one to tell.
    throw halves.signal.reason ?? error;
  }
  if (!database || !stored || !inspection) throw new IntegrityError("a half of the dump is missing");
  const tree = await stored;
  const found = await inspection;
  const layoutWarnings = (await layout).map((message) => ({ code: "link-outside", message }));

  context.progress({ step: "seal" });
  const exact = new Set(database.source.tables.filter(({ exactColumns }) => exactColumns).map(({ name }) => name));
  const byName = new Map(database.source.tables.map((table) => [table.name, table]));
  const { catalogue, meanings } = database;
  const rows = rowsOf(database);
  const seconds = (context.now().getTime() - startedAt.getTime()) / 1000;
  const unsealed: UnsealedManifest = {
    version: 1,
    dumpId,
    installation: context.installation,
    format: store.format,
    purpose: options.purpose ?? "scheduled",
    startedAt: startedAt.toISOString(),
    takenAt: database.takenAt.toISOString(),
    sealedAt: context.now().toISOString(),
    openemr: { ...found.openemr, sites: [...sites] },
    server: {
      product: database.source.product,
      version: database.source.serverVersion,
      characterSet: database.source.characterSet,
      collation: database.source.collation,
      lowerCaseTableNames: database.source.lowerCaseTableNames,
    },
    database: {
      name: context.database.name,
      part,
      byteLength: database.digest.byteLength,
      rows,
      rowRule: "all",
      largestStatement: database.digest.largestStatement,
      tables: database.digest.tables.map(({ structureForms: _, ...table }) => ({
        ...table,
        engine: byName.get(table.name)?.engine ?? "unknown",
        keyed: byName.get(table.name)?.keyed ?? false,
        exact: exact.has(table.name),
        catalogue: catalogue.get(table.name),
      })),
      programs: database.digest.programs.map((program) => ({
        ...program,
        meaningSha256: meanings.get(program.section),
      })),
      collations: [...database.source.collations],
    },
    sites: { ...tree, mounts },
    keyProof: found.keyProof,
    documents: found.documents,
    warnings: [
      ...(future ? [inTheFuture] : []),
      ...siteWarnings,
      ...besideWarnings(beside),
      ...volumeWarnings,
      ...layoutWarnings,
      ...tableWarnings(database.source),
      ...logWarnings(context, database.source),
      ...inspectionWarnings(found),
    ],
    tools: { ...(await store.describeTools()) },
    seconds,
  };
  const manifest = sealManifest(unsealed, store.format === "portable" ? await store.seal() : undefined);
  const bytes = manifestBytes(manifest);
  const { digest } = manifest;
  const manifestPart = await store.writeManifestCopy({ dumpId, takenAt: database.takenAt, digest }, bytes, {
    ...run,
    signal: context.signal,
  });
  await context.destination.put(manifestKey(context.installation, dumpId), bytes);

  // Trust what can be read back, not what was sent.
  const readBack = await readManifest(context.destination, context.installation, dumpId);
  const parts = [part, tree.part];
  if (readBack?.digest !== manifest.digest || (await store.presentParts(parts)).size !== parts.length)
    throw new IntegrityError(`dump ${dumpId} was written but is not there when read back`);
  if (store.format === "portable") await store.verify("read-data", parts, { ...run, signal: context.signal });
  return {
    dumpId,
    complete: true,
    manifest,
    ...(manifestPart ? { manifestPart } : {}),
    figures: {
      rows,
      tables: manifest.database.tables.length,
      databaseBytes: manifest.database.byteLength,
      files: tree.files,
      filesBytes: tree.byteLength,
      warnings: manifest.warnings.length,
      seconds: (context.now().getTime() - startedAt.getTime()) / 1000,
    },
  };
};

const rowsOf = ({ digest }: DatabaseDump): number => digest.tables.reduce((sum, { rows }) => sum + rows, 0);

/** Progress of a half, with what it is expected to hold: as much as the dump before. */
const expecting = (report: ReportProgress, earlier: Manifest | undefined): ReportProgress => {
  if (!earlier) return report;
  const { database, sites } = earlier;
  return withEstimates(report, {
    database: { totalBytes: database.byteLength, totalRows: database.rows },
    sites: { totalBytes: sites.byteLength, totalFiles: sites.files },
  });
};

/** A half that is stored: nothing of it is left. */
const ended = (step: string, bytes: number, { rows, files }: { readonly rows?: number; readonly files?: number }) => ({
  ...{ step, bytes, totalBytes: bytes },
  ...(rows === undefined ? {} : { rows, totalRows: rows }),
  ...(files === undefined ? {} : { files, totalFiles: files }),
});

/** A link, or another directory that came in the tree's place, gives a copy without an error and without the files. */
const assertWhole = (files: number, essentials: number): void => {
  if (files >= Math.max(essentials, 1)) return;
  throw new IntegrityError(
    `the copy of the sites tree holds ${files} files, and at least ${essentials} were seen in the tree: it is no copy of it; see what sites.path leads to`,
  );
};

const inspectSource = async (context: DumpContext, sites: readonly string[], server: string) => {
  await using connection = await connectReadOnly(context.database);
  await assertSameServer(connection, server, context.database);
  const found = await inspect(context.sitesPath, sites, connection);
  const zone = await connection
    .rows(`SELECT gl_value AS zone FROM ${baseTable("globals")} WHERE gl_name = 'gbl_time_zone' LIMIT 1`)
    .catch(() => []);
  const version = await readVersion(connection);
  const dockerVersion = await readDockerVersion(context.sitesPath);
  return {
    ...found,
    openemr: {
      version: version ? { ...version } : null,
      dockerVersion: dockerVersion === undefined ? null : String(dockerVersion),
      timeZone: zone[0]?.zone?.slice(0, 64) || null,
    },
  };
};
