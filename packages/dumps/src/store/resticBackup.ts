import { lstat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname } from "node:path";
import { OpsError, SourceUnreadableError } from "@openemr-ops/core/errors";
import { streamSink } from "@openemr-ops/files/byteSink";
import { onLines } from "@openemr-ops/files/child";
import type { StoredSites, StoreRun, WriteSites } from "./dumpStore.ts";
import { localFailureAt } from "./localFailureAt.ts";
import { type Produce, produceInto } from "./producer.ts";
import { localCodeOf, resticMessage } from "./resticErrors.ts";
import type { ResticProgram } from "./resticProgram.ts";
import { type ResticSnapshots, tagsOf } from "./resticSnapshots.ts";

interface Summary {
  readonly snapshot_id?: string;
  readonly total_files_processed?: number;
  readonly total_bytes_processed?: number;
  readonly dirs_new?: number;
  readonly dirs_changed?: number;
  readonly dirs_unmodified?: number;
}

const killAfterMilliseconds = 5_000;
/** What restic says when it has heard SIGINT: from now on it seals nothing, whatever its input does. */
const interrupted = /signal .*received/;

const timeOf = (at: Date): string => at.toISOString().slice(0, 19).replace("T", " ");
/** Escapes what Go's filepath.Match treats as a pattern. */
const literally = (path: string): string => path.replace(/[\\*?[\]]/g, "\\$&");

/** Makes the snapshots of a dump. What fails seals nothing. */
export interface ResticBackup {
  /** Seals one file of what `produce` sends, once it resolves. @returns the snapshot's identifier */
  readonly stream: (
    name: string,
    tags: readonly string[],
    at: Date,
    produce: Produce,
    run: StoreRun,
  ) => Promise<string>;
  /** Seals the sites tree. @throws {SourceUnreadableError} part of it cannot be read */
  readonly sites: (sites: WriteSites, run: StoreRun) => Promise<StoredSites>;
}

/** Files that restic could not read and that are not gone by now. Those that are were temporary. */
const stillThere = async (items: readonly string[]): Promise<number> => {
  let count = 0;
  for (const item of items) {
    const isThere = () =>
      lstat(item).then(
        () => true,
        () => false,
      );
    // A name that is no UTF-8: we cannot look, so it counts as there.
    if (item.includes("\ufffd") || (await isThere())) count++;
  }
  return count;
};

const textOfError = (error: unknown): string => {
  const { message } = (error ?? {}) as { readonly message?: unknown };
  return typeof message === "string" ? message : "";
};

export const resticBackup = (restic: ResticProgram, snapshots: ResticSnapshots, host: string): ResticBackup => {
  const stream = async (
    name: string,
    tags: readonly string[],
    at: Date,
    produce: Produce,
    run: StoreRun,
  ): Promise<string> => {
    let summary: Summary | undefined;
    const source = ["--stdin", "--stdin-filename", name];
    const child = await restic.start(
      ["backup", ...source, "--host", host, ...tags, "--time", timeOf(at), "--json"],
      run,
      {
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
    const endedEarly = child.ended.then((end) => restic.failed(doing, end));
    endedEarly.catch(() => {});
    try {
      // The end of the stream is held back until the producer confirms it: restic sees no end, so it seals nothing.
      await produceInto(produce, streamSink(child.stdin), { taken: endedEarly, signal: run.signal });
      run.signal.throwIfAborted();
    } catch (error) {
      child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMilliseconds);
      const end = await child.ended;
      clearTimeout(timer);
      const ownEnd = end.signal === null && end.code !== 130 && end.code !== 0;
      if (ownEnd && !(error instanceof OpsError)) return restic.failed(doing, end);
      throw error;
    }
    child.stdin.end();
    const end = await child.ended;
    if (end.code !== 0 || !summary?.snapshot_id) return restic.failed(doing, end);
    return snapshots.fullId(summary.snapshot_id);
  };

  const sites = async ({ dumpId, takenAt, sitesPath, exclude }: WriteSites, run: StoreRun): Promise<StoredSites> => {
    let summary: Summary | undefined;
    const unreadable: string[] = [];
    let local: string | undefined;
    const child = await restic.start(
      [
        ...["backup", "--host", host, ...tagsOf(dumpId, "sites"), "--time", timeOf(takenAt), "--json"],
        ...((await restic.release()).minor >= 15 ? ["--no-scan"] : []),
        ...exclude.flatMap((glob) => ["--exclude", `${literally(sitesPath)}/${glob}`]),
        "--",
        basename(sitesPath),
      ],
      run,
      {
        cwd: dirname(sitesPath),
        onErrorLine: (line) => {
          const { message_type: type, item, error } = resticMessage(line) ?? {};
          if (type !== "error" || typeof item !== "string" || item === "") return;
          local ??= localCodeOf(textOfError(error));
          unreadable.push(item);
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
    // What it cannot write here it says of the file that it was about to pack.
    if (local) throw localFailureAt("storing the sites tree", `TMPDIR (${tmpdir()})`, local);
    // Exit status 3: some files could not be read. Those that are gone by now were temporary; any other is a failure.
    const lost = await stillThere(unreadable);
    if (lost > 0)
      throw new SourceUnreadableError(
        `${lost} files or directories of the sites tree cannot be read; run as a user who may read all of it (find ${sitesPath} ! -readable)`,
      );
    if (!(end.code === 0 || (end.code === 3 && unreadable.length > 0)) || !summary?.snapshot_id)
      return restic.failed("storing the sites tree", end);
    return {
      part: { kind: "snapshot", snapshotId: await snapshots.fullId(summary.snapshot_id) },
      files: summary.total_files_processed ?? 0,
      directories: (summary.dirs_new ?? 0) + (summary.dirs_changed ?? 0) + (summary.dirs_unmodified ?? 0),
      byteLength: summary.total_bytes_processed ?? 0,
      vanished: unreadable.length,
    };
  };

  return { stream, sites };
};
