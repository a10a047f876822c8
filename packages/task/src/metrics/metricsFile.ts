import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { readBounded } from "@openemr-ops/core/boundedFile";
import { InstallationBusyError, InvalidInputError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { withLock } from "@openemr-ops/core/withLock";
import { fileLocks } from "@openemr-ops/files/fileLocks";
import { replaceFile } from "@openemr-ops/files/stateFiles";
import { mergeMetrics, parseMetrics, renderMetrics, type Sample } from "./textfile.ts";

/** Thousands of installations fit. Bytes. */
const largestFile = 16 * 1024 * 1024;

const wrong = (path: string, what: string, cause?: unknown) =>
  new InvalidInputError([{ path: "metricsFile", message: `${path} ${what}` }], { cause });

/** @throws {InvalidInputError} what is there is not a file of ours */
const read = async (path: string): Promise<readonly Sample[]> => {
  const found = await readBounded(path, largestFile).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw wrong(path, `cannot be read (${systemCodeOf(error)}); expected a file that this user may replace`, error);
  });
  if (found === undefined) return [];
  const samples = found.kind === "file" && found.whole ? parseMetrics(found.content.toString("utf8")) : undefined;
  if (samples) return samples;
  throw wrong(path, "was not written by this program and is not replaced; name another file, or remove this one");
};

/**
 * Looks whether metrics can be kept there, and writes nothing.
 *
 * @throws {InvalidInputError} fatal, with the path `metricsFile`: no such directory, no right to write, or another program's file
 */
export const assertMetricsFile = async (path: string): Promise<void> => {
  await access(dirname(path), constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw wrong(path, `cannot be written (${systemCodeOf(error)}); make its directory one that this user may write to`);
  });
  await read(path);
};

const leaseSeconds = 30;
const triesForLock = 100;
const millisecondsBetweenTries = 100;

/**
 * Adds samples to the file, in place of those that they renew. Jobs that end at once wait for one another; a reader sees the
 * old file or the new one. Safe to repeat.
 *
 * @throws {InvalidInputError | InstallationBusyError} or what `replaceFile` throws
 */
export const addToMetricsFile = async (
  path: string,
  samples: readonly Sample[],
  {
    now,
    pause = setTimeout,
  }: { readonly now: () => Date; readonly pause?: (milliseconds: number) => Promise<unknown> },
): Promise<void> => {
  // Beside the file: programs with other state directories write to it too. Collectors read names that end in .prom.
  const locks = fileLocks({ directory: `${path}.locks`, now });
  // For everybody to read: the collector runs as another user.
  const add = async () => replaceFile(path, renderMetrics(mergeMetrics(await read(path), samples)), 0o644);
  const lock = { installation: "metrics", resource: "file", owner: ulid(now()), leaseSeconds };
  for (let tries = 1; ; tries++)
    try {
      await withLock(locks, lock, add, { now });
      return;
    } catch (error) {
      if (!(error instanceof InstallationBusyError) || tries === triesForLock) throw error;
      await pause(millisecondsBetweenTries);
    }
};
