import { constants } from "node:fs";
import { access, lstat } from "node:fs/promises";
import { publicPlace } from "./publicPlace.ts";
import { isAbsent } from "./siteFiles.ts";
import { isExcluded, listSites } from "./sitesLayout.ts";
import { type WalkedEntry, walkTree } from "./walkTree.ts";

/** What a dump of the sites would read, and what this user may not read of it. */
export interface SitesMeasure {
  readonly sites: readonly string[];
  readonly files: number;
  /** Of regular files. */
  readonly bytes: number;
  readonly unreadableFiles: number;
  readonly unreadableDirectories: number;
  /** Where the first ones are, as far as no name can be a patient's. */
  readonly places: readonly string[];
}

export interface MeasureOptions {
  readonly signal: AbortSignal;
  /** Called every few thousand files. */
  readonly onFiles?: (files: number) => void;
}

const mostPlaces = 5;
/** Files that are looked at together. */
const batchSize = 256;
const reportEvery = 8192;

/** Its size; "refused" where this user may not read it. What disappeared meanwhile has no size. */
const lookAt = async ({ absolute }: WalkedEntry): Promise<number | "refused"> => {
  try {
    const [{ size }] = await Promise.all([lstat(absolute), access(absolute, constants.R_OK)]);
    return size;
  } catch (error) {
    return isAbsent(error) ? 0 : "refused";
  }
};

/**
 * Walks all sites once, opens no file, and goes on where it may not read. What a dump leaves out is left out.
 *
 * @throws {SourceUnreadableError} fatal: the sites directory itself cannot be read
 */
export const measureSites = async (sitesPath: string, { signal, onFiles }: MeasureOptions): Promise<SitesMeasure> => {
  const sites = await listSites(sitesPath);
  const known = new Set(sites);
  const utf8 = (path: string) => Buffer.from(path, "latin1").toString();
  const passOver = (path: string) => isExcluded(path) || !known.has(utf8(path.split("/")[0] ?? ""));
  const places = new Set<string>();
  let [files, bytes, unreadableFiles, unreadableDirectories] = [0, 0, 0, 0];
  const note = (path: string) => {
    if (places.size < mostPlaces) places.add(publicPlace(utf8(path)));
  };
  const measure = async (batch: readonly WalkedEntry[]): Promise<void> => {
    const sizes = await Promise.all(batch.map(lookAt));
    for (const [index, size] of sizes.entries()) {
      if (size !== "refused") bytes += size;
      else {
        unreadableFiles++;
        note(batch[index]?.path ?? "");
      }
    }
  };
  const onRefused = (path: string) => {
    unreadableDirectories++;
    note(path);
  };
  let batch: WalkedEntry[] = [];
  for await (const walked of walkTree(sitesPath, passOver, onRefused)) {
    if (!walked.entry.isFile()) continue;
    files++;
    batch.push(walked);
    if (batch.length < batchSize) continue;
    signal.throwIfAborted();
    await measure(batch);
    batch = [];
    if (files % reportEvery === 0) onFiles?.(files);
  }
  await measure(batch);
  return { sites, files, bytes, unreadableFiles, unreadableDirectories, places: [...places] };
};
