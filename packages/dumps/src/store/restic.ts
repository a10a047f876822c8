import { lstat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DestinationMissingError,
  DestinationUnavailableError,
  DiskFullError,
  IntegrityError,
  OpsError,
  RepositoryPasswordError,
  SourceUnreadableError,
  ToolFailedError,
} from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import { awaitReader, type ByteSink, streamSink } from "@openemr-ops/files/byteSink";
import { type Child, type ChildEnd, onLines, runChild, startChild } from "@openemr-ops/files/child";
import { sealWith } from "../seal.ts";
import type { DumpStore, SealedDump, StoredPart, StoredSites, StoreRun } from "./dumpStore.ts";
import { lacksSpace } from "./lacksSpace.ts";
import { putNewRepository } from "./newRepository.ts";
import { repositoryObjects } from "./repositoryObjects.ts";
import { resticError, resticMessage, resticWords } from "./resticErrors.ts";
import type { ResticLocation } from "./resticLocation.ts";
import { type ResticRelease, resticRelease } from "./resticRelease.ts";

export interface ResticSettings {
  readonly restic: string;
  readonly installation: string;
  readonly location: ResticLocation;
  readonly readPassword: () => Promise<string>;
  /** Not set: restic keeps no cache. */
  readonly cacheDirectory?: string | undefined;
  /** The repository's own directory or bucket, to look at its objects. */
  readonly destination: Destination;
}

interface Summary {
  readonly snapshot_id?: string;
  readonly total_files_processed?: number;
  readonly total_bytes_processed?: number;
  readonly dirs_new?: number;
  readonly dirs_changed?: number;
  readonly dirs_unmodified?: number;
}

interface Snapshot {
  readonly id: string;
  /** The identifier that it was made with, where `restic copy` or `restic tag` gave it another. */
  readonly original?: string;
  readonly hostname?: string;
  readonly time: string;
  readonly tags?: readonly string[];
}

const product = "openemr-ops";
const databaseFile = "database.sql";
const manifestFile = "manifest.json";
/** A program's own working directory. Out of `.` restic would make a path of the names it has now, and follow that. */
const ownDirectory = "/proc/self/cwd";
const killAfterMilliseconds = 5_000;
/** What restic says when it has heard SIGINT: from now on it seals nothing, whatever its input does. */
const interrupted = /signal .*received/;

const tagsOf = (dumpId: string, kind: string): string[] => [
  "--tag",
  product,
  "--tag",
  `dump=${dumpId}`,
  "--tag",
  `kind=${kind}`,
];
const tagOf = ({ tags }: Snapshot, name: string): string | undefined =>
  tags?.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1);
const timeOf = (at: Date): string => at.toISOString().slice(0, 19).replace("T", " ");
/** Escapes what Go's filepath.Match treats as a pattern. */
const literally = (path: string): string => path.replace(/[\\*?[\]]/g, "\\$&");

/** Keeps dumps as snapshots of one restic repository per installation; the repository is the destination itself. */
export const resticStore = (settings: ResticSettings): DumpStore => {
  const { destination, location } = settings;
  const { assertNames, assertOpenable } = repositoryObjects(destination);
  let password: Promise<string> | undefined;
  let release: Promise<ResticRelease> | undefined;

  const childSettings = async (run: StoreRun) => {
    await version(); // an unsupported restic never sees the repository
    password ??= settings.readPassword();
    return {
      environment: {
        ...location.environment,
        RESTIC_REPOSITORY: location.repository,
        RESTIC_PASSWORD: await password,
        RESTIC_PROGRESS_FPS: "1",
      },
      signal: run.signal,
    };
  };
  const commonArguments = [
    ...location.options,
    ...(location.cached && settings.cacheDirectory ? ["--cache-dir", settings.cacheDirectory] : ["--no-cache"]),
  ];

  const version = () => (release ??= resticRelease(settings.restic));

  /**
   * Damage has many faces: a spoiled key looks like a wrong password, a missing config like a missing repository, a pack
   * that is cut short like a broken connection. Where restic's word leaves that open, the objects themselves tell.
   */
  const failed = async (doing: string, end: ChildEnd, otherwise?: (message: string) => OpsError): Promise<never> => {
    const error = resticError(doing, end, otherwise);
    const cutOff = error instanceof DestinationUnavailableError && /EOF/.test(resticWords(end.errors));
    const open = [RepositoryPasswordError, DestinationMissingError, ToolFailedError].some(
      (kind) => error instanceof kind,
    );
    if (end.signal === null && (open || cutOff)) {
      const look = async () => {
        await assertOpenable();
        for (const folder of ["keys/", "snapshots/", "index/", ...(cutOff ? (["data/"] as const) : [])] as const)
          await assertNames(folder);
      };
      await look().catch((found: unknown) => {
        throw found instanceof IntegrityError ? found : error;
      });
    }
    throw error;
  };

  const restic = async (doing: string, args: readonly string[], run: StoreRun, input?: string) => {
    const end = await runChild(settings.restic, [...commonArguments, ...args], {
      ...(await childSettings(run)),
      ...(input === undefined ? {} : { input }),
    });
    run.signal.throwIfAborted();
    return end.code === 0 ? end.output : failed(doing, end);
  };

  const snapshots = async (run: StoreRun): Promise<readonly Snapshot[]> =>
    (JSON.parse(await restic("list of snapshots", ["snapshots", "--json", "--no-lock"], run)) as Snapshot[] | null) ??
    [];

  /** Those of this installation's dumps. Whatever else lies in the repository is left alone. */
  const ownSnapshots = async (run: StoreRun) =>
    (await snapshots(run)).flatMap((snapshot) => {
      const dumpId = tagOf(snapshot, "dump") ?? "";
      const ours = snapshot.hostname === settings.installation && snapshot.tags?.includes(product);
      return ours && ulidPattern.test(dumpId) ? [{ ...snapshot, dumpId, kind: tagOf(snapshot, "kind") }] : [];
    });

  const listSealed = async (run: StoreRun): Promise<ReadonlyMap<string, SealedDump>> => {
    const dumps = new Map<string, SealedDump>();
    if (!(await destination.describe("config"))) {
      await assertOpenable();
      return dumps;
    }
    for (const snapshot of await ownSnapshots(run)) {
      const { dumpId, kind } = snapshot;
      const known = dumps.get(dumpId) ?? { takenAt: undefined, database: false, sites: false, manifest: false };
      const digest = tagOf(snapshot, "manifest");
      dumps.set(dumpId, {
        ...known,
        takenAt: known.takenAt && kind !== "manifest" ? known.takenAt : new Date(snapshot.time),
        ...(kind === "database" || kind === "sites" || kind === "manifest" ? { [kind]: true } : {}),
        ...(digest === undefined ? {} : { digest }),
      });
    }
    return dumps;
  };

  /** Older releases print the first eight digits only. */
  const fullId = async (id: string): Promise<string> => {
    if (id.length === 64) return id;
    for await (const { key } of destination.list(`snapshots/${id}`)) return basename(key);
    throw new IntegrityError(`snapshot ${id} is not at the destination although restic reported it`);
  };

  const snapshotIdOf = (part: StoredPart): string => {
    if (part.kind !== "snapshot") throw new IntegrityError("the manifest names an object where a snapshot belongs");
    return part.snapshotId;
  };

  /** What the snapshot is called here: in a copy of the repository it has another identifier than in its manifest. */
  const findSnapshot = async (part: StoredPart, run: StoreRun): Promise<string> => {
    const id = snapshotIdOf(part);
    if (await destination.describe(`snapshots/${id}`)) return id;
    return (await ownSnapshots(run)).find(({ original }) => original === id)?.id ?? id;
  };

  const backupStream = async (
    name: string,
    tags: readonly string[],
    at: Date,
    produce: (sink: ReturnType<typeof streamSink>) => Promise<void>,
    run: StoreRun,
  ): Promise<string> => {
    let summary: Summary | undefined;
    const child: Child = startChild(
      settings.restic,
      [
        ...commonArguments,
        "backup",
        "--stdin",
        "--stdin-filename",
        name,
        "--host",
        settings.installation,
        ...tags,
        "--time",
        timeOf(at),
        "--json",
      ],
      {
        ...(await childSettings(run)),
        onErrorLine: (line) => {
          if (interrupted.test(line)) child.stdin.destroy(); // it would wait for more
        },
      },
    );
    onLines(child.stdout, (line) => {
      const message = resticMessage(line);
      if (message?.message_type === "summary") summary = message as Summary;
    });
    const doing = `storing ${name}`;
    const endedEarly = child.ended.then((end) => failed(doing, end));
    endedEarly.catch(() => {});
    try {
      // The end of the stream is held back until the producer vouches for it: restic sees no end, so it seals nothing.
      await Promise.race([produce(streamSink(child.stdin)), endedEarly]);
      run.signal.throwIfAborted();
    } catch (error) {
      child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMilliseconds);
      const end = await child.ended;
      clearTimeout(timer);
      const restics = end.signal === null && end.code !== 130 && end.code !== 0;
      if (restics && !(error instanceof OpsError)) return failed(doing, end);
      throw error;
    }
    child.stdin.end();
    const end = await child.ended;
    if (end.code !== 0 || !summary?.snapshot_id) return failed(doing, end);
    return fullId(summary.snapshot_id);
  };

  return {
    format: "restic",
    describeTools: async () => ({ restic: (await version()).text }),
    open: async (create, run) => {
      if (await destination.describe("config")) return;
      await assertOpenable(); // a new repository among the remains of one would close them for good
      if (!create) await failed("opening the repository", { code: 10, signal: null, errors: "" });
      const doing = "creating the repository";
      if (!location.cached) return void (await restic(doing, ["init"], run));
      const { environment, signal } = await childSettings(run);
      const end = await putNewRepository(settings.restic, destination, {
        password: environment.RESTIC_PASSWORD,
        signal,
      });
      if (end.code !== 0) await failed(doing, end);
    },
    writeDatabase: async ({ dumpId, takenAt }, produce, run) => ({
      kind: "snapshot",
      snapshotId: await backupStream(databaseFile, tagsOf(dumpId, "database"), takenAt, produce, run),
    }),
    writeSites: async ({ dumpId, takenAt, sitesPath, exclude }, run): Promise<StoredSites> => {
      const parent = dirname(sitesPath);
      let summary: Summary | undefined;
      const unreadable: string[] = [];
      const child = startChild(
        settings.restic,
        [
          ...commonArguments,
          ...[
            "backup",
            "--host",
            settings.installation,
            ...tagsOf(dumpId, "sites"),
            "--time",
            timeOf(takenAt),
            "--json",
          ],
          ...((await version()).minor >= 15 ? ["--no-scan"] : []),
          ...exclude.flatMap((glob) => ["--exclude", `${literally(sitesPath)}/${glob}`]),
          "--",
          basename(sitesPath),
        ],
        {
          ...(await childSettings(run)),
          cwd: parent,
          onErrorLine: (line) => {
            const item = resticMessage(line)?.message_type === "error" ? resticMessage(line)?.item : undefined;
            if (typeof item === "string" && item !== "") unreadable.push(item);
          },
        },
      );
      child.stdin.end();
      onLines(child.stdout, (line) => {
        const message = resticMessage(line);
        if (message?.message_type === "summary") summary = message as Summary;
        if (message?.message_type === "status") {
          const status = message as { files_done?: number; bytes_done?: number };
          run.progress({ step: "sites", files: status.files_done ?? 0, bytes: status.bytes_done ?? 0 });
        }
      });
      const end = await child.ended;
      run.signal.throwIfAborted();
      // Exit status 3: some files could not be read. Those that are gone by now were temporary; any other is a failure.
      const stillThere: string[] = [];
      for (const item of unreadable)
        if (
          item.includes("\ufffd") || // a name that is no UTF-8: we cannot look, so it counts as there
          (await lstat(item).then(
            () => true,
            () => false,
          ))
        )
          stillThere.push(item);
      if (stillThere.length > 0)
        throw new SourceUnreadableError(
          `${stillThere.length} files or directories of the sites tree cannot be read; run as a user who may read all of it (find ${sitesPath} ! -readable)`,
        );
      if (!(end.code === 0 || (end.code === 3 && unreadable.length > 0)) || !summary?.snapshot_id)
        return failed("storing the sites tree", end);
      return {
        part: { kind: "snapshot", snapshotId: await fullId(summary.snapshot_id) },
        files: summary.total_files_processed ?? 0,
        directories: (summary.dirs_new ?? 0) + (summary.dirs_changed ?? 0) + (summary.dirs_unmodified ?? 0),
        byteLength: summary.total_bytes_processed ?? 0,
        vanished: unreadable.length,
      };
    },
    writeManifestCopy: async ({ dumpId, takenAt, digest }, manifest, run) => {
      // With the digest among the tags, one list of snapshots tells of all plain manifests whether they are genuine.
      const tags = [...tagsOf(dumpId, "manifest"), "--tag", `manifest=${digest}`];
      const send = async (sink: ByteSink) => sink(manifest);
      return { kind: "snapshot", snapshotId: await backupStream(manifestFile, tags, takenAt, send, run) };
    },
    listSealed,
    seal: async () => {
      password ??= settings.readPassword();
      return sealWith(await password);
    },
    readManifestCopy: async (dumpId, run) => {
      const copy = (await ownSnapshots(run)).find((each) => each.dumpId === dumpId && each.kind === "manifest");
      return copy
        ? Buffer.from(
            await restic("reading the manifest's copy", ["dump", "--no-lock", copy.id, `/${manifestFile}`], run),
          )
        : undefined;
    },
    readDatabase: async (part, consume, run) => {
      const child = startChild(
        settings.restic,
        [...commonArguments, "dump", await findSnapshot(part, run), `/${databaseFile}`],
        await childSettings(run),
      );
      child.stdin.end();
      try {
        await consume(awaitReader(child.stdout));
      } catch (error) {
        // What restic says once it is interrupted is no reason: in the middle of its search for the key it says "wrong
        // password", exit status 12. Only one that had ended by itself may be why the reader failed.
        const endedByItself = child.stdout.readableEnded;
        child.kill("SIGINT");
        child.stdout.destroy();
        const end = await child.ended;
        if (endedByItself && end.code !== null && end.code !== 0 && end.code !== 130 && /fatal|error/i.test(end.errors))
          return failed("reading the database dump", end, (message) => new IntegrityError(message));
        throw error;
      }
      const end = await child.ended;
      run.signal.throwIfAborted();
      if (end.code !== 0) await failed("reading the database dump", end, (message) => new IntegrityError(message));
    },
    restoreSites: async (part, staging, name, run) => {
      const sparse = (await version()).minor >= 15 ? ["--sparse"] : [];
      const end = await runChild(
        settings.restic,
        [
          ...commonArguments,
          "restore",
          await findSnapshot(part, run),
          "--target",
          `${ownDirectory}/${name}`,
          ...sparse,
        ],
        { ...(await childSettings(run)), cwd: staging.at },
      );
      run.signal.throwIfAborted();
      // A destination that is read from never lacks space: it is the disk here.
      if (lacksSpace(end.errors))
        throw new DiskFullError(`restoring the sites tree: no space left below ${staging.path}`);
      if (end.code !== 0) await failed("restoring the sites tree", end, (message) => new IntegrityError(message));
    },
    presentParts: async (parts) => {
      const there = new Set<string>();
      for await (const { key } of destination.list("snapshots/")) there.add(basename(key));
      return new Set(parts.filter((part) => part.kind === "snapshot" && there.has(part.snapshotId)));
    },
    verify: async (level, parts, run) => {
      await assertOpenable();
      for (const folder of ["keys/", "snapshots/", "index/"] as const) await assertNames(folder);
      const known = new Set((await snapshots(run)).flatMap(({ id, original }) => [id, original]));
      const lost = parts.filter((part) => !known.has(snapshotIdOf(part)));
      if (lost.length > 0)
        throw new IntegrityError(`${lost.length} snapshots that manifests name are not in the repository`);
      const readData = level === "objects" ? [] : [run.share ? `--read-data-subset=${run.share}` : "--read-data"];
      const end = await runChild(settings.restic, [...commonArguments, "check", ...readData], await childSettings(run));
      run.signal.throwIfAborted();
      if (end.code !== 0)
        await failed(
          "check of the repository",
          { ...end, errors: `${end.errors}\n${end.output.slice(-4096)}` },
          (message) => new IntegrityError(message),
        );
    },
    orphans: async (known, run) =>
      [...(await listSealed(run))]
        .filter(([dumpId, { manifest }]) => !manifest && !known.has(dumpId))
        .map(([dumpId]) => ({ dumpId })),
    announceRemoval: async () => {}, // without its sealed manifest a dump is none, whatever is left of it
    remove: async (dumps, run) => {
      const wanted = new Set(dumps.map(({ dumpId }) => dumpId));
      const found = (await ownSnapshots(run)).filter(({ dumpId }) => wanted.has(dumpId));
      const manifests = found.filter(({ kind }) => kind === "manifest");
      const parts = found.filter(({ kind }) => kind !== "manifest");
      // One after the other: a run that stops between them leaves no dump that has a manifest and lacks a half.
      for (const some of [manifests, parts])
        if (some.length > 0) await restic("forgetting snapshots", ["forget", ...some.map(({ id }) => id)], run);
    },
    reclaim: async (run) => void (await restic("giving space back", ["prune"], run)),
    recover: async (run) => {
      for await (const _ of destination.list("locks/"))
        return void (await restic("removing dead locks", ["unlock"], run));
    },
  };
};
