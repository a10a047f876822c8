import type { Platform } from "@openemr-ops/openemr/prepareSites";
import type { Sqlconf } from "@openemr-ops/openemr/sqlconf";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { assertRestoreServer } from "./assertRestoreServer.ts";
import { assertVersion } from "./assertVersion.ts";
import { chooseDump } from "./listDumps.ts";
import { besideTargets, restoreBeside } from "./restoreBeside.ts";
import { restoreInPlace } from "./restoreInPlace.ts";
import { assertSitesChosen, type ReplacedSites } from "./sitesInPlace.ts";
import type { Verdict } from "./verdict.ts";

export interface RestoreOptions {
  /** `latest` or a dump's identifier. */
  readonly dump: string;
  readonly intoDatabase?: string | undefined;
  readonly intoSites?: string | undefined;
  /** Replace the live schema and tree; what was there is set aside, not deleted. */
  readonly inPlace?: boolean;
  /** In place, where the tree also holds sites of other databases: which of them to replace. */
  readonly sites?: ReplacedSites | undefined;
  /** Make the tree ready for where it is to run; without it, it is left as it was dumped. */
  readonly platform?: Platform | undefined;
  /** What OpenEMR shall connect with at the target. */
  readonly connection?: Omit<Sqlconf, "configured"> | undefined;
  /** The target's code is newer than the dump. */
  readonly upgrade?: boolean;
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

/** Reads and checks, and writes nothing. */
export const planRestore = async (context: DumpContext, options: RestoreOptions): Promise<RestorePlan> => {
  const target = options.inPlace
    ? { database: context.database.name, sites: context.sitesPath }
    : await besideTargets(context, options);
  const manifest = await chooseDump(context, options.dump);
  await assertRestoreServer(context);
  await assertVersion(context, manifest, options.inPlace ?? false);
  if (options.inPlace) await assertSitesChosen(context, manifest, options.sites);
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
 * After an interruption the same call continues where it stopped: tables that were whole are not loaded again.
 *
 * @throws {InvalidInputError} a target is missing
 * @throws {RefusedError} any of: target not empty, older code, OpenEMR running, no such dump; nothing was changed
 * @throws {LoadFailedError} fatal: correct the cause, then run again
 * @throws {DamagedError} the restored copy is not the dump
 */
export const restoreDump = async (context: DumpContext, options: RestoreOptions): Promise<Verdict> => {
  await context.store.describeTools();
  return options.inPlace ? restoreInPlace(context, options) : restoreBeside(context, options);
};
