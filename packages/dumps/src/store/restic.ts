import { basename } from "node:path";
import { DamagedError, IntegrityError, type OpsError, ToolFailedError } from "@openemr-ops/core/errors";
import type { ByteSink } from "@openemr-ops/files/byteSink";
import { sealWith } from "../seal.ts";
import type { DumpStore } from "./dumpStore.ts";
import { openRepository } from "./openRepository.ts";
import { repositoryObjects } from "./repositoryObjects.ts";
import { resticBackup } from "./resticBackup.ts";
import { removeDeadLocks } from "./resticLocks.ts";
import { type ResticSettings, resticProgram } from "./resticProgram.ts";
import { resticReader } from "./resticReader.ts";
import { databaseFile, resticRestore } from "./resticRestore.ts";
import { resticSnapshots, snapshotIdOf, tagsOf } from "./resticSnapshots.ts";

const manifestFile = "manifest.json";
const readersAtOnce = 4;

/** Keeps dumps as snapshots of one restic repository per installation; the repository is the destination itself. */
export const resticStore = (settings: ResticSettings): DumpStore => {
  const { destination } = settings;
  const { assertNames, assertOpenable } = repositoryObjects(destination);
  const restic = resticProgram(settings);
  const snapshots = resticSnapshots(restic, settings);
  const backup = resticBackup(restic, snapshots, settings.installation);
  const reader = resticReader(restic, destination);
  const restore = resticRestore(restic, snapshots, reader);

  /** Each is a run of restic that mostly waits. Once one failed, no other begins, and all have ended before it throws. */
  const manifestCopies: DumpStore["readManifestCopies"] = async (dumpIds, take, run) => {
    const wanted = new Set(dumpIds);
    const copies = (await snapshots.own(run)).filter(({ dumpId, kind }) => kind === "manifest" && wanted.has(dumpId));
    const readNext = async (): Promise<void> => {
      for (let copy = copies.shift(); copy; copy = copies.shift()) {
        const args = ["dump", "--no-lock", copy.id, `/${manifestFile}`];
        const read = restic.run("reading the manifest's copy", args, run).then(Buffer.from, (error: unknown) => {
          if (error instanceof DamagedError || error instanceof ToolFailedError) return error;
          copies.length = 0;
          throw error;
        });
        take(copy.dumpId, await read);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: readersAtOnce }, readNext));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  };

  return {
    format: "restic",
    describeTools: async () => ({ restic: (await restic.release()).text }),
    open: (create, run) => openRepository(settings, restic, create, run),
    writeDatabase: async ({ dumpId, takenAt }, produce, run) => ({
      kind: "snapshot",
      snapshotId: await backup.stream(databaseFile, tagsOf(dumpId, "database"), takenAt, produce, run),
    }),
    writeSites: backup.sites,
    writeManifestCopy: async ({ dumpId, takenAt, digest }, manifest, run) => {
      // With the digest among the tags, one list of snapshots shows for all plain manifests whether they are genuine.
      const tags = [...tagsOf(dumpId, "manifest"), "--tag", `manifest=${digest}`];
      const send = async (sink: ByteSink) => sink(manifest);
      return { kind: "snapshot", snapshotId: await backup.stream(manifestFile, tags, takenAt, send, run) };
    },
    listSealed: snapshots.sealed,
    seal: async () => sealWith(await restic.password()),
    readManifestCopy: async (dumpId, run) => {
      let found: Buffer | undefined;
      const keep = (_: string, copy: Buffer | OpsError) => {
        if (!Buffer.isBuffer(copy)) throw copy;
        found = copy;
      };
      await manifestCopies([dumpId], keep, run);
      return found;
    },
    readManifestCopies: manifestCopies,
    neighbours: snapshots.neighbours,
    readDatabase: restore.database,
    listSites: restore.list,
    restoreSites: restore.sites,
    presentParts: async (parts) => {
      const there = new Set<string>();
      for await (const { key } of destination.list("snapshots/")) there.add(basename(key));
      return new Set(parts.filter((part) => part.kind === "snapshot" && there.has(part.snapshotId)));
    },
    verify: async (level, parts, run) => {
      await assertOpenable();
      for (const folder of ["keys/", "snapshots/", "index/"] as const) await assertNames(folder);
      const known = new Set((await snapshots.all(run)).flatMap(({ id, original }) => [id, original]));
      const lost = parts.filter((part) => !known.has(snapshotIdOf(part)));
      if (lost.length > 0)
        throw new IntegrityError(`${lost.length} snapshots that manifests name are not in the repository`);
      const readData = level === "objects" ? [] : [run.share ? `--read-data-subset=${run.share}` : "--read-data"];
      const { ended, failed } = await reader.end(["check", ...readData], run);
      if (ended.code !== 0)
        await failed("check of the repository", { ...ended, errors: `${ended.errors}\n${ended.output.slice(-4096)}` });
    },
    orphans: async (known, run) =>
      [...(await snapshots.sealed(run))]
        .filter(([dumpId, { manifest }]) => !manifest && !known.has(dumpId))
        .map(([dumpId]) => ({ dumpId })),
    announceRemoval: async () => {}, // without its sealed manifest a dump is none, whatever is left of it
    remove: async (dumps, run) => {
      const wanted = new Set(dumps.map(({ dumpId }) => dumpId));
      const found = (await snapshots.own(run)).filter(({ dumpId }) => wanted.has(dumpId));
      const manifests = found.filter(({ kind }) => kind === "manifest");
      const parts = found.filter(({ kind }) => kind !== "manifest");
      // One after the other: a run that stops between them leaves no dump that has a manifest and lacks a half.
      for (const some of [manifests, parts])
        if (some.length > 0) await restic.run("forgetting snapshots", ["forget", ...some.map(({ id }) => id)], run);
    },
    reclaim: async (run) => void (await restic.run("giving space back", ["prune"], run)),
    recover: (run) => removeDeadLocks(restic, settings, run),
  };
};
