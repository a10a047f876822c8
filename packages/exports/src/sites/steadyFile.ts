import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import type { BytePath } from "@openemr-ops/files/bytePath";
import { Pace } from "./pace.ts";

/** A file's bytes as they were at one moment, or why there are none. */
export type SteadyRead<Result> =
  | {
      readonly outcome: "read";
      readonly result: Result;
      readonly byteLength: number;
      readonly modifiedNs: bigint;
      readonly readAt: Date;
    }
  /** Its link was removed or replaced since the directory was read. */
  | { readonly outcome: "gone" }
  | { readonly outcome: "unstable" }
  | { readonly outcome: "unreadable"; readonly reason: string };

export interface OpenFile {
  readonly byteLength: number;
  readonly modifiedNs: bigint;
  /** When anything of it last changed, also its owner or its time: no program can set this one. */
  readonly changedNs: bigint;
  /** All of the file; for files that fit into memory. */
  whole(): Promise<Buffer>;
  /** The first bytes; fewer where the file is shorter. */
  start(bytes: number): Promise<Buffer>;
  /** The file piece by piece, from its beginning each time. Breaks off where its end would have been, when it has changed meanwhile. */
  pieces(): AsyncGenerator<Buffer, void>;
}

/** The file changed while it was read. */
class ChangedMeanwhile extends Error {}
/** A failure of the file, not of what is done with it. */
class Unreadable extends Error {}

const attempts = 4;
const pieceBytes = 256 * 1024;

const isSame = (one: BigIntStats, other: BigIntStats): boolean =>
  one.size === other.size && one.mtimeNs === other.mtimeNs && one.ino === other.ino;

const ofTheFile = async <Result>(work: Promise<Result>): Promise<Result> => {
  try {
    return await work;
  } catch (error) {
    throw systemCodeOf(error) === undefined ? error : new Unreadable(systemCodeOf(error), { cause: error });
  }
};

const readFully = async (handle: FileHandle, into: Buffer, position: number): Promise<number> => {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await ofTheFile(handle.read(into, filled, into.length - filled, position + filled));
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
};

const opened = (handle: FileHandle, before: BigIntStats): OpenFile => {
  const byteLength = Number(before.size);
  const assertUnchanged = async () => {
    if (!isSame(before, await ofTheFile(handle.stat({ bigint: true })))) throw new ChangedMeanwhile();
  };
  return {
    byteLength,
    modifiedNs: before.mtimeNs,
    changedNs: before.ctimeNs,
    whole: async () => {
      const bytes = Buffer.allocUnsafe(byteLength);
      if ((await readFully(handle, bytes, 0)) < byteLength) throw new ChangedMeanwhile();
      await assertUnchanged();
      return bytes;
    },
    start: async (most) => {
      const bytes = Buffer.allocUnsafe(Math.min(most, byteLength));
      return bytes.subarray(0, await readFully(handle, bytes, 0));
    },
    async *pieces() {
      for (let position = 0; position < byteLength; ) {
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, byteLength - position));
        if ((await readFully(handle, piece, position)) < piece.length) throw new ChangedMeanwhile();
        position += piece.length;
        if (position >= byteLength) await assertUnchanged();
        yield piece;
      }
    },
  };
};

/** Files that are read in one go when that is quick. Bytes. */
const quickBytes = 256 * 1024;
/** Milliseconds that one takes at most when it is in memory. */
const quickRead = 1;

/**
 * Reads small files without another thread, which costs more than the reading, for as long as the system has them in memory. Gives
 * `undefined` whenever there is something to look into: `readSteadily` does.
 */
export const quickReader = () => {
  const pace = new Pace();
  const read = (path: BytePath): OpenFile | undefined => {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const before = fstatSync(file, { bigint: true });
      if (!before.isFile() || before.size > quickBytes) return undefined;
      const bytes = Buffer.allocUnsafe(Number(before.size));
      if (bytes.length > 0 && readSync(file, bytes, 0, bytes.length, 0) < bytes.length) return undefined;
      if (!isSame(before, fstatSync(file, { bigint: true }))) return undefined;
      return {
        byteLength: bytes.length,
        modifiedNs: before.mtimeNs,
        changedNs: before.ctimeNs,
        whole: async () => bytes,
        start: async (most) => bytes.subarray(0, most),
        async *pieces() {
          yield bytes;
        },
      };
    } finally {
      closeSync(file);
    }
  };
  return (path: BytePath, byteLength: number): OpenFile | undefined => {
    if (byteLength > quickBytes || !pace.isQuick()) return undefined;
    try {
      return pace.timed(() => read(path), quickRead);
    } catch {
      return undefined;
    }
  };
};

/**
 * Reads a file as it was at one moment: what it says of itself is the same before and after. Tried again a few times, since
 * most writes are short. Links are not followed, and nothing waits for a pipe.
 *
 * @param work is called for each attempt; what it threw is thrown, unless the file was the reason
 */
export const readSteadily = async <Result>(
  path: BytePath,
  now: () => Date,
  work: (file: OpenFile) => Promise<Result>,
): Promise<SteadyRead<Result>> => {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (attempt > 1) await pause(20 * attempt);
    const readAt = now();
    let handle: FileHandle;
    try {
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      const code = systemCodeOf(error) ?? "unknown";
      return ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(code)
        ? { outcome: "gone" }
        : { outcome: "unreadable", reason: code };
    }
    try {
      const before = await ofTheFile(handle.stat({ bigint: true }));
      if (!before.isFile()) return { outcome: "gone" };
      const result = await work(opened(handle, before));
      return { outcome: "read", result, byteLength: Number(before.size), modifiedNs: before.mtimeNs, readAt };
    } catch (error) {
      if (error instanceof Unreadable) return { outcome: "unreadable", reason: error.message };
      if (!(error instanceof ChangedMeanwhile)) throw error;
    } finally {
      await handle.close();
    }
  }
  return { outcome: "unstable" };
};
