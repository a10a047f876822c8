import { IntegrityError, onThisMachine } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { loadDatabase } from "@openemr-ops/database/loadDatabase";
import { programsDigest } from "@openemr-ops/database/programStatements";
import type { ProgramSection, StreamDigest } from "@openemr-ops/database/sqlScanner";
import type { OwnedDirectory } from "@openemr-ops/files/ownedDirectory";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { type TakenTree, takeTree } from "../staging/stagedTree.ts";
import { watchTree } from "../staging/watchTree.ts";
import { type WholeRows, wholeRows } from "./wholeRows.ts";

export interface LoadedParts {
  /** Of each half and of both. */
  readonly seconds: { readonly database: number; readonly sites: number; readonly restore: number };
  readonly tree: TakenTree;
  /** What the stored tree holds. */
  readonly listed: TakenTree["listed"];
  /** What the dump's programs say, by section. */
  readonly meanings: ReadonlyMap<ProgramSection, string>;
  /** Of tables that the manifest does not cover whole. */
  readonly wholeRows: readonly WholeRows[];
}

/**
 * Loads both halves side by side: rows into the schema, the tree into the empty staging directory. The rows' half can be
 * resumed by the same call.
 */
export const loadParts = async (
  context: DumpContext,
  manifest: Manifest,
  access: DatabaseAccess,
  staging: OwnedDirectory,
  options: {
    readonly skip?: readonly ProgramSection[];
    readonly onProgram?: (section: ProgramSection, sql: Buffer) => void;
  } = {},
): Promise<LoadedParts> => {
  const halves = new AbortController();
  const { rows: totalRows, rowRule } = manifest.database;
  const progress: ReportProgress = (event) =>
    context.progress(event.step === "load" && rowRule === "all" ? { ...event, totalRows } : event);
  const run = { signal: AbortSignal.any([context.signal, halves.signal]), progress };
  const elapsed = stopwatch(context.now);
  const meanings = new Map<ProgramSection, string>();
  const onProgram = (section: ProgramSection, sql: Buffer) => {
    meanings.set(section, programsDigest(sql.toString("latin1"), section));
    options.onProgram?.(section, sql);
  };
  const timed = async <Result>(work: Promise<Result>) => {
    const result = await work;
    return { result, seconds: elapsed() };
  };
  let stream: StreamDigest | undefined;
  const database = timed(
    context.store.readDatabase(
      manifest.database.part,
      async (stored) => {
        const { tools, deferKeysFrom } = context;
        const settings = { mariadb: tools.mariadb, deferKeysFrom, ...run, ...options, onProgram };
        stream = await loadDatabase(access, manifest, stored, settings);
      },
      run,
    ),
  );
  const sites = timed(
    onThisMachine("restoring the sites tree", staging.path, () =>
      takeTree(staging, (name) =>
        watchTree(`${staging.at}/${name}`, manifest.sites, context.progress, () =>
          context.store.restoreSites(manifest.sites.part, staging, name, run),
        ),
      ),
    ),
  );
  const stop = (error: unknown) => halves.abort(error);
  database.catch(stop);
  sites.catch(stop);
  await Promise.allSettled([database, sites]);
  if (halves.signal.aborted) throw halves.signal.reason;
  const [rows, tree] = [await database, await sites];
  if (!stream) throw new IntegrityError("the database half of the dump was not read");
  return {
    seconds: { database: rows.seconds, sites: tree.seconds, restore: elapsed() },
    tree: tree.result,
    listed: tree.result.listed,
    meanings,
    wholeRows: wholeRows(manifest, stream),
  };
};
