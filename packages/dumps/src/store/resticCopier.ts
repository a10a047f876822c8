import { InstallationBusyError, IntegrityError, type OpsError } from "@openemr-ops/core/errors";
import type { Manifest } from "../manifest.ts";
import type { CopiedParts, Copier } from "./copier.ts";
import type { StoreRun } from "./dumpStore.ts";
import type { SourceRepository } from "./newRepository.ts";
import { openRepository } from "./openRepository.ts";
import { serveRepository } from "./repositoryServer.ts";
import { indexOf } from "./resticLocks.ts";
import { type ResticSettings, resticProgram } from "./resticProgram.ts";
import { type OwnSnapshot, resticSnapshots, snapshotIdOf } from "./resticSnapshots.ts";

/**
 * Copies snapshots from one repository to another with `restic copy`, which reads the first one through this program. The first
 * one gets no lock and no other object: reading is the only right that is needed there.
 */
export const resticCopier = (from: ResticSettings, to: ResticSettings): Copier => {
  const [source, target] = [resticProgram(from), resticProgram(to)];
  const [fromSnapshots, toSnapshots] = [resticSnapshots(source, from), resticSnapshots(target, to)];
  const { url } = to.destination;

  /** Runs `work` with a restic that reads the first repository too. */
  const reading = async <Result>(
    run: StoreRun,
    work: (repository: SourceRepository, run: StoreRun) => Promise<Result>,
  ): Promise<Result> => {
    const stop = new AbortController();
    let bytes = 0;
    const onRead = (more: number): void => {
      bytes += more;
      run.progress({ step: "copy", bytes });
    };
    const before = await indexOf(from.destination);
    await using served = await serveRepository(from.destination, { onRead, onFatal: (error) => stop.abort(error) });
    const environment = { RESTIC_FROM_REPOSITORY: served.url, RESTIC_FROM_PASSWORD: await source.password() };
    try {
      return await work({ environment }, { ...run, signal: AbortSignal.any([run.signal, stop.signal]) });
    } catch (error) {
      run.signal.throwIfAborted();
      throw await explained(served.failure() ?? error, before);
    }
  };

  /** Without a lock others may take away what is read: that looks like damage, and is none. */
  const explained = async (error: unknown, before: string): Promise<unknown> => {
    if (!(error instanceof IntegrityError) || (await indexOf(from.destination)) === before) return error;
    return new InstallationBusyError(
      `copying to ${url}: another program tidied ${from.destination.url} up meanwhile: give the same command again`,
      { cause: error },
    );
  };

  const copy = (doing: string, snapshots: readonly string[], run: StoreRun): Promise<void> =>
    reading(run, async ({ environment }, reader) => {
      const args = ["copy", "--no-lock", ...snapshots]; // of the first repository; the second is locked all the same
      const end = await target.end(args, reader, { environment });
      const damaged = (message: string): OpsError => new IntegrityError(message);
      if (end.code !== 0) await target.failed(doing, end, damaged);
    });

  const ofDump = (all: readonly OwnSnapshot[], { dumpId }: Manifest, kind: string): string => {
    const found = all.find((each) => each.dumpId === dumpId && each.kind === kind);
    if (found) return found.id;
    throw new IntegrityError(`dump ${dumpId} has no snapshot of kind ${kind}`);
  };

  return {
    open: async (create, run) => {
      if (await to.destination.describe("config")) return;
      await reading(run, (repository, reader) => openRepository(to, target, create, reader, repository));
    },
    halves: async ({ dumpId, database, sites }, run) => {
      const halves = [await fromSnapshots.find(database.part, run), await fromSnapshots.find(sites.part, run)];
      await copy(`copying dump ${dumpId} to ${url}`, halves, run);
    },
    seal: async (manifest, run) => {
      const sealed = ofDump(await fromSnapshots.own(run), manifest, "manifest");
      await copy(`copying the manifest of dump ${manifest.dumpId} to ${url}`, [sealed], run);
    },
    parts: async (manifest, run): Promise<CopiedParts> => {
      const all = await toSnapshots.own(run);
      const part = (kind: string) => ({ kind: "snapshot", snapshotId: ofDump(all, manifest, kind) }) as const;
      for (const half of [manifest.database.part, manifest.sites.part]) {
        const id = snapshotIdOf(half);
        if (!all.some(({ id: own, original }) => own === id || original === id))
          throw new IntegrityError(`${url} has no copy of snapshot ${id} of dump ${manifest.dumpId}`);
      }
      return { database: part("database"), sites: part("sites"), manifest: part("manifest") };
    },
  };
};
