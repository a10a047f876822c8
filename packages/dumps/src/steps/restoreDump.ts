import { mkdir, readdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { InPlaceNotAllowedError, InvalidInputError, TargetNotEmptyError } from "@openemr-ops/core/errors";
import { type Platform, prepareSites } from "@openemr-ops/openemr/prepareSites";
import type { Sqlconf } from "@openemr-ops/openemr/sqlconf";
import { bytePath } from "@openemr-ops/openemr/walkTree";
import type { DumpContext } from "../context.ts";
import type { DatabaseAccess } from "../database/access.ts";
import { connect } from "../database/connection.ts";
import { forgetLoad } from "../database/loadDatabase.ts";
import type { Manifest } from "../manifest.ts";
import { assertVersion } from "./assertVersion.ts";
import { assertManifestCopy } from "./checkDumps.ts";
import { type Comparison, compareRestored } from "./compare.ts";
import { chooseDump } from "./listDumps.ts";
import { loadParts } from "./loadParts.ts";
import { restoreInPlace } from "./restoreInPlace.ts";
import { runJob } from "./runJob.ts";
import { underLock } from "./underLock.ts";
import { assertPassed, type Verdict, verdictOf } from "./verdict.ts";

export interface RestoreOptions {
  /** `latest` or a dump's identifier. */
  readonly dump: string;
  readonly intoDatabase?: string | undefined;
  readonly intoSites?: string | undefined;
  /** Replace the live schema and tree; what was there is set aside, not deleted. */
  readonly inPlace?: boolean;
  /** Make the tree ready for where it is to run; without it, it is left as it was dumped. */
  readonly platform?: Platform | undefined;
  /** What OpenEMR shall connect with at the target. */
  readonly connection?: Omit<Sqlconf, "configured"> | undefined;
  /** The target's code is newer than the dump. */
  readonly upgrade?: boolean;
  readonly withoutSafetyDump?: boolean;
}

/** What a restore would do. Nothing was written. */
export interface RestorePlan {
  readonly dryRun: true;
  readonly dumpId: string;
  readonly takenAt: string;
  readonly target: { readonly database: string; readonly sites: string; readonly inPlace: boolean };
  readonly tables: number;
  readonly rows: number;
  readonly databaseBytes: number;
  readonly files: number;
  readonly filesBytes: number;
  readonly warnings: Manifest["warnings"];
}

const marker = ".openemr-ops-restore";

const within = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + sep);

/** Both targets of a restore beside the live system, checked. */
const besideTargets = async (context: DumpContext, options: RestoreOptions) => {
  const { intoDatabase, intoSites } = options;
  const missing = [
    ...(intoDatabase
      ? []
      : [
          {
            path: "--into-database",
            message: "name a new schema for the restored rows (or --in-place to replace the live one)",
          },
        ]),
    ...(intoSites
      ? []
      : [
          {
            path: "--into-sites",
            message: "name a new directory for the restored files (or --in-place to replace the live one)",
          },
        ]),
  ];
  if (!intoDatabase || !intoSites) throw new InvalidInputError(missing);
  if (intoDatabase === context.database.name)
    throw new InPlaceNotAllowedError(
      `${intoDatabase} is the live schema: name another, or use --in-place --yes with OpenEMR stopped`,
    );
  const directory = resolve(intoSites);
  const live = await realpath(context.sitesPath).catch(() => context.sitesPath);
  if (within(await realpath(directory).catch(() => directory), live))
    throw new InPlaceNotAllowedError(
      `${directory} is or lies in the live sites tree: name another directory, or use --in-place --yes with OpenEMR stopped`,
    );
  return { database: intoDatabase, sites: directory };
};

/** What an earlier call of the same restore has proven, so that it is neither loaded nor compared again. */
interface Proven {
  readonly comparison: Comparison;
  readonly seconds: Verdict["seconds"];
}

/** First the dump's identifier, then, once the copy is proven, the evidence. */
const writeMarker = async (directory: string, dumpId: string, proven?: Proven): Promise<void> => {
  const temporary = join(directory, `${marker}.new`);
  await writeFile(temporary, `${[dumpId, ...(proven ? [JSON.stringify(proven)] : [])].join("\n")}\n`, {
    mode: 0o600,
    flush: true,
  });
  await rename(temporary, join(directory, marker));
};

/**
 * An empty directory, or one in which this very restore was interrupted: emptied now, unless all that was left to do
 * comes after the proof.
 */
const claimDirectory = async (directory: string, dumpId: string): Promise<Proven | undefined> => {
  await mkdir(directory, { recursive: true });
  const entries = (await readdir(directory, "latin1")).filter((name) => name !== `${marker}.new`);
  const text = entries.includes(marker) ? await readFile(join(directory, marker), "utf8") : undefined;
  const [owner, evidence] = text?.split("\n") ?? [];
  if (owner === dumpId && evidence) return JSON.parse(evidence) as Proven;
  if (entries.length > 0 && owner !== dumpId)
    throw new TargetNotEmptyError(
      owner
        ? `${directory} holds a half-done restore of dump ${owner}: finish that one, or empty the directory`
        : `${directory} is not empty: name a new directory`,
    );
  await writeMarker(directory, dumpId);
  for (const entry of entries)
    if (entry !== marker) await rm(bytePath(directory, entry), { recursive: true, force: true });
  return undefined;
};

/** Reads and checks, and writes nothing. */
export const planRestore = async (context: DumpContext, options: RestoreOptions): Promise<RestorePlan> => {
  const target = options.inPlace
    ? { database: context.database.name, sites: context.sitesPath }
    : await besideTargets(context, options);
  const manifest = await chooseDump(context, options.dump);
  await assertVersion(context, manifest, options.inPlace ?? false);
  return {
    dryRun: true,
    dumpId: manifest.dumpId,
    takenAt: manifest.takenAt,
    target: { ...target, inPlace: options.inPlace ?? false },
    tables: manifest.database.tables.length,
    rows: manifest.database.rows,
    databaseBytes: manifest.database.byteLength,
    files: manifest.sites.files,
    filesBytes: manifest.sites.byteLength,
    warnings: manifest.warnings,
  };
};

/**
 * Restores a dump beside the live system, or in place, and compares the result with the manifest row by row.
 *
 * Interrupted, the same call goes on where it stopped: tables that were whole are not loaded again.
 *
 * @throws {InvalidInputError} a target is missing
 * @throws {RefusedError} any of: target not empty, older code, OpenEMR running, no such dump; nothing was changed
 * @throws {LoadFailedError} fatal: run again after mending the cause
 * @throws {DamagedError} the restored copy is not the dump
 */
export const restoreDump = (context: DumpContext, options: RestoreOptions): Promise<Verdict> =>
  runJob(context, "restore", false, async (jobId) => {
    const verdict = await underLock(context, "service", jobId, (locked) =>
      options.inPlace ? restoreInPlace(locked, options) : restoreBeside(locked, options),
    );
    return {
      result: verdict,
      figures: { rows: verdict.rows, files: verdict.files, seconds: verdict.seconds.restore },
      identifiers: { dumpId: verdict.dumpId },
    };
  });

const loadAndCompare = async (
  context: DumpContext,
  manifest: Manifest,
  access: DatabaseAccess,
  directory: string,
): Promise<Proven> => {
  const loaded = await loadParts(context, manifest, access, directory);
  const began = Date.now();
  const comparison = await compareRestored(context, access, directory, manifest);
  return { comparison, seconds: { ...loaded, compare: (Date.now() - began) / 1000 } };
};

const restoreBeside = async (context: DumpContext, options: RestoreOptions): Promise<Verdict> => {
  const target = await besideTargets(context, options);
  const manifest = await chooseDump(context, options.dump);
  await context.store.recover(context);
  await assertManifestCopy(context, manifest);
  const newer = await assertVersion(context, manifest, false);
  const access = { ...context.restoreDatabase, name: target.database };
  await (await connect(access, "information_schema"))[Symbol.asyncDispose](); // before anything is made
  const earlier = await claimDirectory(target.sites, manifest.dumpId);
  const proven = earlier ?? (await loadAndCompare(context, manifest, access, target.sites));
  const { comparison, seconds } = proven;
  const next: string[] = [];
  if (comparison.differences.length === 0) await writeMarker(target.sites, manifest.dumpId, proven);
  if (comparison.differences.length === 0 && options.platform) {
    const prepared = await prepareSites({
      sitesPath: target.sites,
      platform: options.platform,
      connection: options.connection,
      database: manifest.database.name,
      upgrade: options.upgrade ?? newer,
    });
    next.push(...prepared.warnings);
  }
  if (!options.platform || !options.connection)
    next.push(
      `sqlconf.php below ${target.sites} still names the source's database: before an OpenEMR may start on it, put the new connection there, or restore into a new place with --for PLATFORM --connect FILE`,
    );
  await forgetLoad(access);
  await rm(join(target.sites, marker), { force: true });
  const verdict = verdictOf(manifest, target, comparison, seconds, next);
  assertPassed(verdict);
  return verdict;
};
