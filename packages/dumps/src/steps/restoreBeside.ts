import { hash } from "node:crypto";
import { rm } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { InPlaceNotAllowedError, InvalidInputError, onThisMachine } from "@openemr-ops/core/errors";
import { stopwatch } from "@openemr-ops/core/stopwatch";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { forgetLoad } from "@openemr-ops/database/loadTarget";
import {
  type DirectoryIdentity,
  isSameDirectory,
  openChild,
  openDirectory,
  realPlace,
} from "@openemr-ops/files/directory";
import { journalIn } from "@openemr-ops/files/journal";
import { reopenOwned } from "@openemr-ops/files/ownedDirectory";
import { readState, replaceFile } from "@openemr-ops/files/stateFiles";
import { prepareSites } from "@openemr-ops/openemr/prepareSites";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { makeStage, publish, type Stage, stageOf } from "../staging/publish.ts";
import { treeEntry, treeIn } from "../staging/stagedTree.ts";
import { assertRestoreServer } from "./assertRestoreServer.ts";
import { assertVersion } from "./assertVersion.ts";
import { type Comparison, compareRestored } from "./compare.ts";
import { chooseDump } from "./listDumps.ts";
import { loadParts } from "./loadParts.ts";
import type { RestoreOptions } from "./restoreDump.ts";
import { assertPassed, type Verdict, verdictOf, withoutSet } from "./verdict.ts";

const within = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + sep);

/** @throws {InPlaceNotAllowedError} refused: it is the live one */
export const assertNotLiveSchema = ({ database }: DumpContext, intoDatabase: string): void => {
  if (intoDatabase === database.name)
    throw new InPlaceNotAllowedError(
      `${intoDatabase} is the live schema: name another, or stop OpenEMR and restore in place`,
      { field: "inPlace" },
    );
};

/** The directory as a path without links. @throws {InPlaceNotAllowedError} refused: it is or lies in the live tree */
export const placeBeside = async (context: DumpContext, intoSites: string): Promise<string> => {
  const directory = await realPlace(resolve(intoSites));
  if (within(directory, await realPlace(context.sitesPath)))
    throw new InPlaceNotAllowedError(
      `${directory} is or lies in the live sites tree: name another directory, or stop OpenEMR and restore in place`,
      { field: "inPlace" },
    );
  return directory;
};

/** Both targets of a restore beside the live system, checked; the directory as a path without links. */
export const besideTargets = async (
  context: DumpContext,
  { intoDatabase, intoSites }: RestoreOptions,
): Promise<Verdict["target"]> => {
  const missing = [
    ...(intoDatabase
      ? []
      : [
          {
            path: "intoDatabase",
            message: "name a new schema for the restored rows, or set inPlace to replace the live one",
          },
        ]),
    ...(intoSites
      ? []
      : [
          {
            path: "intoSites",
            message: "name a new directory for the restored files, or set inPlace to replace the live one",
          },
        ]),
  ];
  if (!intoDatabase || !intoSites) throw new InvalidInputError(missing);
  assertNotLiveSchema(context, intoDatabase);
  return { database: intoDatabase, sites: await placeBeside(context, intoSites) };
};

/** What a proven copy has to say; kept with it, so that an interrupted call need not prove it again. */
interface Evidence {
  readonly comparison: Comparison;
  readonly seconds: Verdict["seconds"];
  readonly dropped: Verdict["dropped"];
  /** Notes of earlier releases have none. */
  readonly notRestored?: Verdict["notRestored"];
  readonly next: readonly string[];
}

/** A copy that is proven and prepared, on its way to its name. */
interface Publication {
  readonly dumpId: string;
  /** Tells how it was prepared: one for another platform or connection is made anew. */
  readonly preparation: string;
  readonly stagingPath: string;
  readonly staging: DirectoryIdentity;
  readonly tree: DirectoryIdentity;
  readonly evidence: Evidence;
  readonly published: boolean;
}

/** Keeps it in the state directory: nothing in the target says what may be deleted or believed. */
const publicationFile = ({ stateDirectory, installation }: DumpContext, target: Verdict["target"]) => {
  const name = hash("sha256", JSON.stringify([installation, target.database, target.sites]));
  const file = join(stateDirectory, "publishing", `${name.slice(0, 32)}.json`);
  return {
    save: (publication: Publication) => replaceFile(file, `${JSON.stringify(publication)}\n`),
    forget: () => rm(file, { force: true }),
    read: async (): Promise<Publication | undefined> => {
      const text = await readState(file);
      return text && (JSON.parse(text.toString()) as Publication);
    },
  };
};

/** The staging directory of an interrupted call, if it still is the one that was noted. */
const stageAgain = async ({ stagingPath, staging, tree }: Publication): Promise<Stage | undefined> => {
  const outer = await openDirectory(dirname(stagingPath)).catch(() => undefined);
  const reopened = outer && (await reopenOwned(outer, stagingPath.slice(outer.path.length + 1), staging));
  if (reopened) {
    await using found = await openChild(reopened, treeEntry).catch(() => undefined);
    if (found && isSameDirectory(found.identity, tree)) return stageOf(outer, reopened);
    await reopened[Symbol.asyncDispose]();
  }
  await outer?.[Symbol.asyncDispose]();
  return undefined;
};

const preparationOf = ({ platform, connection, upgrade }: RestoreOptions): string =>
  hash("sha256", JSON.stringify([platform, connection, upgrade]));

const isPublished = async ({ published, tree }: Publication, target: string): Promise<boolean> => {
  if (published) return true;
  await using found = await openDirectory(target).catch(() => undefined);
  return found !== undefined && isSameDirectory(found.identity, tree);
};

/**
 * Loads the dump into a new schema and a staging directory of our own, compares both with the manifest, prepares the
 * tree, and only then gives it its name. After an interruption the same call continues: tables that were whole are not loaded again,
 * and what was proven is not proven again.
 */
export const restoreBeside = async (context: DumpContext, options: RestoreOptions): Promise<Verdict> => {
  const target = await besideTargets(context, options);
  const manifest = await chooseDump(context, options.dump);
  const newer = await assertVersion(context, manifest, false);
  const access = { ...context.restoreDatabase, name: target.database };
  await assertRestoreServer(context); // before anything is made
  const journal = journalIn(context.stateDirectory, context.installation, "restore");
  const publications = publicationFile(context, target);
  const earlier = await publications.read();
  const finish = async (stage: Stage | undefined, publication: Publication): Promise<Verdict> => {
    const { comparison, seconds, dropped, notRestored = [], next } = publication.evidence;
    if (!(await isPublished(publication, target.sites))) {
      if (stage) await onThisMachine("putting the tree", target.sites, () => publish(stage, target.sites));
      await publications.save({ ...publication, published: true });
    }
    if (stage) await journal.remove(stage.staging);
    await forgetLoad(access);
    await publications.forget();
    const verdict = verdictOf(manifest, target, comparison, seconds, next, { dropped, notRestored });
    assertPassed(verdict);
    return verdict;
  };
  if (earlier?.dumpId === manifest.dumpId && earlier.preparation === preparationOf(options)) {
    await using stage = await stageAgain(earlier);
    if (stage || (await isPublished(earlier, target.sites))) return await finish(stage, earlier);
  }
  if (earlier) await publications.forget();
  await journal.sweep(context.warn);
  await using stage = await onThisMachine("making a directory for the tree", target.sites, () =>
    makeStage(journal, target.sites),
  );
  const publication = await proven({ context, options, target, manifest, access, stage, newer }).catch(
    async (error: unknown) => {
      await journal.remove(stage.staging).catch(() => {}); // else the next restore does it
      throw error;
    },
  );
  await publications.save(publication);
  return await finish(stage, publication);
};

const proven = async ({
  context,
  options,
  target,
  manifest,
  access,
  stage: { staging },
  newer,
}: {
  context: DumpContext;
  options: RestoreOptions;
  target: Verdict["target"];
  manifest: Manifest;
  access: DatabaseAccess;
  stage: Stage;
  newer: boolean;
}): Promise<Publication> => {
  const { seconds: loading, ...stored } = await loadParts(context, manifest, access, staging);
  const comparing = stopwatch(context.now);
  const comparison = await compareRestored(context, access, treeIn(staging), manifest, stored);
  const seconds = { ...loading, compare: comparing() };
  const next: string[] = [];
  let { notRestored } = stored.tree;
  if (comparison.differences.length === 0 && options.platform) {
    const prepared = await prepareSites({
      sitesPath: treeIn(staging),
      calledPath: target.sites,
      platform: options.platform,
      connection: options.connection,
      database: manifest.database.name,
      ownSites: manifest.openemr.sites,
      upgrade: options.upgrade ?? newer,
    });
    next.push(...prepared.warnings);
    notRestored = withoutSet(notRestored, prepared);
  }
  if (!options.platform || !options.connection)
    next.push(
      `sqlconf.php below ${target.sites} still names the source's database: before an OpenEMR may start on it, put the new connection there, or restore into a new place with a platform and a connection`,
    );
  await using tree = await openChild(staging, treeEntry);
  return {
    dumpId: manifest.dumpId,
    preparation: preparationOf(options),
    stagingPath: staging.path,
    staging: staging.identity,
    tree: tree.identity,
    evidence: { comparison, seconds, dropped: stored.tree.dropped, notRestored, next },
    published: false,
  };
};
