import { hash } from "node:crypto";
import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseAccessDeniedError, TargetNotEmptyError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import { quoteName } from "@openemr-ops/database/identifiers";
import { assertPrograms, loadPrograms } from "@openemr-ops/database/loadClient";
import { assertServer, dropLoaded, forgetLoad } from "@openemr-ops/database/loadTarget";
import { assertReplaceable } from "@openemr-ops/database/replaceable";
import { programSections } from "@openemr-ops/database/sqlScanner";
import { type Directory, type DirectoryIdentity, openChild, openOrMake } from "@openemr-ops/files/directory";
import { makeOwned, moveEntries, type OwnedDirectory, reopenOwned, takeOver } from "@openemr-ops/files/ownedDirectory";
import { prepareSites } from "@openemr-ops/openemr/prepareSites";
import { readIfPresent } from "@openemr-ops/openemr/siteFiles";
import { parseSqlconf, type Sqlconf } from "@openemr-ops/openemr/sqlconf";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { treeEntry, treeIn } from "../staging/stagedTree.ts";
import { assertRestoreServer } from "./assertRestoreServer.ts";
import { assertStopped } from "./assertStopped.ts";
import { assertVersion } from "./assertVersion.ts";
import { compareRestored } from "./compare.ts";
import { assertDrawsFromNoSequence } from "./gapWarnings.ts";
import { type Phase, type Progress, type ProgressKeeper, phases, progressOf } from "./inPlaceProgress.ts";
import { inspect } from "./inspect.ts";
import { chooseDump } from "./listDumps.ts";
import { loadParts } from "./loadParts.ts";
import type { RestoreOptions } from "./restoreDump.ts";
import { nextSteps, whatIsSetAside } from "./setAside.ts";
import { assertSitesChosen, isLeftAlone, type ReplacedSites } from "./sitesInPlace.ts";
import { takeDump } from "./takeDump.ts";
import { assertPassed, type Verdict, verdictOf, withoutSet } from "./verdict.ts";

const setAsidePrefix = ".openemr-ops-before-";
const stagingPrefix = ".openemr-ops-restoring-";

const placesOf = (context: DumpContext, restoreId: string) => ({
  stagingSchema: `${context.database.name.slice(0, 40)}_restoring_${hash("sha256", context.installation).slice(0, 8)}`,
  beforeSchema: `${context.database.name.slice(0, 30)}_before_${restoreId.toLowerCase()}`,
  stagingSites: `${stagingPrefix}${restoreId}`,
  beforeSites: `${setAsidePrefix}${restoreId}`,
});

const tablesOf = async (control: DatabaseConnection, schema: string): Promise<readonly string[]> =>
  (
    await control.rows(
      "SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE <> 'VIEW' ORDER BY TABLE_NAME",
      [schema],
    )
  ).map((row) => row.t ?? "");

/** MySQL lets a user without SYSTEM_USER replace a view of one who has it, and then remove what is his own. */
const dropView = async (control: DatabaseConnection, view: string): Promise<void> => {
  try {
    await control.run(`DROP VIEW ${view}`);
  } catch (error) {
    if (!(error instanceof DatabaseAccessDeniedError)) throw error;
    await control.run(`CREATE OR REPLACE SQL SECURITY INVOKER VIEW ${view} AS SELECT 1 AS n`);
    await control.run(`DROP VIEW ${view}`);
  }
};

/**
 * Moves the live tables aside and the restored ones in, in one statement: at no moment is there no schema to go back to.
 * What to move is read from the server each time, so a second call finishes a first one.
 */
const swapTables = async (
  access: DatabaseAccess,
  live: string,
  staging: string,
  before: string,
  restored: ReadonlySet<string>,
): Promise<void> => {
  await using control = await connect(access, "information_schema");
  await control.run("SET foreign_key_checks = 0, sql_mode = ''");
  await control.run(`CREATE DATABASE IF NOT EXISTS ${quoteName(live)}`);
  await control.run(`CREATE DATABASE IF NOT EXISTS ${quoteName(before)}`);
  // Tables with triggers cannot change their schema; views would point nowhere. The safety dump holds both.
  for (const row of await control.rows(
    "SELECT TRIGGER_NAME AS n FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?",
    [live],
  ))
    await control.run(`DROP TRIGGER ${quoteName(live)}.${quoteName(row.n ?? "")}`);
  for (const row of await control.rows("SELECT TABLE_NAME AS n FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?", [
    live,
  ]))
    await dropView(control, `${quoteName(live)}.${quoteName(row.n ?? "")}`);
  const waiting = new Set(await tablesOf(control, staging));
  const old = (await tablesOf(control, live)).filter((table) => waiting.has(table) || !restored.has(table));
  const move = (table: string, from: string, to: string) =>
    `${quoteName(from)}.${quoteName(table)} TO ${quoteName(to)}.${quoteName(table)}`;
  const moves = [
    ...old.map((table) => move(table, live, before)),
    ...[...waiting].map((table) => move(table, staging, live)),
  ];
  if (moves.length > 0) await control.run(`RENAME TABLE ${moves.join(", ")}`);
  await dropLoaded(control, staging);
};

/** Makes a directory for this restore; one that it made and could not note any more is empty, and made anew. */
const makeNoted = async (sites: Directory, name: string): Promise<OwnedDirectory> => {
  await rmdir(`${sites.at}/${name}`).catch(() => {});
  return makeOwned(sites, name).catch((error: unknown) => {
    throw systemCodeOf(error) === "EEXIST" ? notOurs(sites, name) : error;
  });
};

const notOurs = (sites: Directory, name: string) =>
  new TargetUnsuitableError(
    `${join(sites.path, name)} is not the directory that this restore made: look who changed it, keep it, and put back what was there, or move it away`,
  );

/** What an earlier call of this restore made. @throws {TargetUnsuitableError} it is gone, or another one has its name */
const reopenNoted = async (
  sites: Directory,
  name: string,
  identity: DirectoryIdentity | undefined,
): Promise<OwnedDirectory> => {
  const directory = identity && (await reopenOwned(sites, name, identity));
  if (!directory) throw notOurs(sites, name);
  return directory;
};

/** What OpenEMR connects with today: it survives the restore, for the dump's password may have been rotated away. */
const liveConnection = async (
  context: DumpContext,
  directories: readonly string[],
): Promise<Omit<Sqlconf, "configured"> | undefined> => {
  for (const directory of directories) {
    const content = await readIfPresent(join(directory, "default", "sqlconf.php"), "default/sqlconf.php").catch(
      () => undefined,
    );
    if (!content) continue;
    const { configured: _, ...connection } = parseSqlconf(content);
    return { ...connection, dbase: context.database.name };
  }
  return undefined;
};

/**
 * Replaces the live schema and tree. First a safety dump, then the restored copy beside, proven row by row; only then one
 * RENAME for the tables and renames for the files. What was live is set aside under names that the verdict tells.
 */
export const restoreInPlace = async (context: DumpContext, options: RestoreOptions): Promise<Verdict> => {
  const keeper = progressOf(context);
  const earlier = await keeper.read();
  const manifest = await chooseDump(context, earlier && options.dump === "latest" ? earlier.dumpId : options.dump);
  const started = await begin(context, keeper, manifest, earlier, options.sites);
  let progress = started.progress;
  const places = placesOf(context, progress.restoreId);
  const staging = { ...context.restoreDatabase, name: places.stagingSchema };
  const live = { ...context.restoreDatabase, name: context.database.name };
  const reached = (phase: Phase) => phases.indexOf(progress.phase) >= phases.indexOf(phase);
  const advance = async (phase: Phase, more: Partial<Progress> = {}) => {
    progress = { ...progress, ...more, phase };
    await keeper.save(progress);
  };

  await using sites = await openOrMake(context.sitesPath, 0o777); // the web server passes through the directories above
  let seconds = progress.seconds ?? { database: 0, sites: 0, restore: 0, compare: 0 };
  if (!reached("loaded")) {
    if (progress.staging) {
      await using left = await reopenOwned(sites, places.stagingSites, progress.staging);
      await left?.remove();
    }
    await using made = await makeNoted(sites, places.stagingSites);
    await advance("begun", { staging: made.identity });
    const programs: Buffer[] = [];
    const loaded = await loadParts(context, manifest, staging, made, {
      skip: programSections,
      onProgram: (_, sql) => void programs.push(sql),
    });
    await assertPrograms(live, Buffer.concat(programs), programSections); // before anything live is touched
    await keeper.savePrograms(Buffer.concat(programs));
    seconds = { ...loaded.seconds, compare: 0 };
    const { dropped, notRestored } = loaded.tree;
    const { wholeRows, listed } = loaded;
    await advance("loaded", { seconds, dropped, notRestored, wholeRows, listed });
  }
  await using stage = reached("sites-in") ? undefined : await reopenNoted(sites, places.stagingSites, progress.staging);
  if (stage && !reached("proven")) {
    const comparing = stopwatch(context.now);
    await forgetLoad(staging);
    const comparison = await compareRestored(context, staging, treeIn(stage), manifest, {
      programs: false,
      wholeRows: progress.wholeRows,
      listed: progress.listed,
    });
    assertPassed(verdictOf(manifest, { database: places.stagingSchema, sites: stage.path }, comparison, seconds, []));
    seconds = { ...seconds, compare: comparing() };
    await advance("loaded", { listed: undefined }); // what is prepared from here on is no longer as it was stored
    const prepared = await prepareSites({
      sitesPath: treeIn(stage),
      calledPath: context.sitesPath,
      platform: options.platform ?? "host",
      connection: options.connection ?? (await liveConnection(context, [context.sitesPath])),
      database: manifest.database.name,
      ownSites: manifest.openemr.sites,
      upgrade: options.upgrade ?? started.newer,
    });
    await advance("proven", { seconds, notRestored: withoutSet(progress.notRestored ?? [], prepared) });
  }
  const restored = new Set(manifest.database.tables.map(({ name }) => name));
  if (!reached("database")) {
    await swapTables(context.restoreDatabase, live.name, places.stagingSchema, places.beforeSchema, restored);
    await advance("database");
  }
  if (!reached("programs")) {
    const { signal } = context;
    const longest = manifest.database.programs.reduce((sum, { byteLength }) => sum + byteLength, 0);
    await loadPrograms(live, await keeper.readPrograms(longest), { signal, sections: programSections });
    await advance("programs");
  }
  const leftAlone = isLeftAlone(manifest, progress.sites);
  const own = (name: string) => name.startsWith(".openemr-ops-") || leftAlone(name);
  if (!reached("sites-out")) {
    await using before = progress.before
      ? await reopenNoted(sites, places.beforeSites, progress.before)
      : await makeNoted(sites, places.beforeSites);
    await advance("programs", { before: before.identity });
    await moveEntries(sites, before, own);
    await advance("sites-out");
  }
  if (stage && !reached("sites-in")) {
    await using tree = await openChild(stage, treeEntry);
    await moveEntries(tree, sites, leftAlone);
    await takeOver(tree, sites);
    await advance("sites-in");
  }
  await using connection = await connect(live);
  const found = await inspect(context.sitesPath, manifest.openemr.sites, connection);
  const comparison = {
    tables: manifest.database.tables.length,
    rows: manifest.database.rows,
    files: manifest.sites.files,
    filesBytes: manifest.sites.byteLength,
    documents: Object.values(found.documents).reduce((sum, { rows }) => sum + rows, 0),
    keyProof: found.keyProof.status,
    differences: [],
  };
  if (progress.staging) {
    await using left = await reopenOwned(sites, places.stagingSites, progress.staging);
    await left?.remove();
  }
  const setAside = await whatIsSetAside(context, sites, { schema: places.beforeSchema, directory: places.beforeSites });
  await keeper.remove();
  const target = { database: live.name, sites: context.sitesPath };
  const next = nextSteps(context, setAside, progress.safetyDumpId);
  return verdictOf(manifest, target, comparison, seconds, next, progress);
};

/** Checks that it may begin, takes the safety dump; or picks up what an earlier call left. */
const begin = async (
  context: DumpContext,
  keeper: ProgressKeeper,
  manifest: Manifest,
  left: Progress | undefined,
  sites: ReplacedSites | undefined,
): Promise<{ readonly progress: Progress; readonly newer: boolean }> => {
  const earlier = left?.dumpId === manifest.dumpId ? left : undefined;
  if (left && !earlier && isLiveTouched(left))
    throw new TargetNotEmptyError(
      `a restore in place of dump ${left.dumpId} was interrupted after step "${left.phase}", when it had begun to replace the live system: restore that dump first, to finish it`,
      { field: "dump" },
    );
  await assertRestoreServer(context);
  const newer = await assertVersion(context, manifest, true);
  await assertStopped(context, await liveConnection(context, [context.sitesPath]).catch(() => undefined));
  if (earlier && isLiveTouched(earlier)) return { progress: earlier, newer };
  await assertSitesChosen(context, manifest, earlier ? earlier.sites : sites);
  const restoreId = earlier?.restoreId ?? ulid(context.now());
  const { stagingSchema, beforeSchema } = placesOf(context, restoreId);
  await assertTarget(context, manifest, [stagingSchema, beforeSchema, keeper.schema]);
  if (earlier) return { progress: earlier, newer };
  if (left) await abandon(context, keeper, left);
  const safety = await safetyDump(context);
  const progress: Progress = {
    restoreId,
    dumpId: manifest.dumpId,
    phase: "begun",
    safetyDumpId: safety,
    sites,
  };
  await keeper.save(progress);
  return { progress, newer };
};

const isLiveTouched = ({ phase }: Progress): boolean => phases.indexOf(phase) >= phases.indexOf("database");

/** Removes what a restore made that has not touched the live system; its safety dump stays. */
const abandon = async (context: DumpContext, keeper: ProgressKeeper, left: Progress): Promise<void> => {
  const places = placesOf(context, left.restoreId);
  await using control = await connect(context.restoreDatabase, "information_schema");
  await dropLoaded(control, places.stagingSchema);
  if (left.staging) {
    await using sites = await openOrMake(context.sitesPath, 0o777);
    await using staging = await reopenOwned(sites, places.stagingSites, left.staging);
    await staging?.remove();
  }
  await keeper.remove();
};

/** Asks the server for all that the restore will need there, while nothing is changed. */
const assertTarget = async (context: DumpContext, manifest: Manifest, beside: readonly string[]): Promise<void> => {
  assertDrawsFromNoSequence(manifest);
  await using control = await connect(context.restoreDatabase, "information_schema");
  await assertServer(control, manifest, programSections);
  await assertReplaceable(control, { live: context.database.name, beside }, manifest);
};

/** Nothing is there to be saved where the schema is gone or empty and so is the tree. */
const safetyDump = async (context: DumpContext): Promise<string | undefined> => {
  await using control = await connect(context.restoreDatabase, "information_schema");
  const tables = await tablesOf(control, context.database.name);
  const entries = await readdir(context.sitesPath).catch(() => []);
  if (tables.length === 0 && entries.length === 0) return undefined;
  const { host, port } = context.restoreDatabase; // a reader may be behind what is about to be replaced
  const database = { ...context.database, host, port };
  return (await takeDump({ ...context, database }, { purpose: "safety" })).dumpId;
};
