import { mkdir, readdir } from "node:fs/promises";
import { InvalidInputError, onThisMachine } from "@openemr-ops/core/errors";
import type { OwnedDirectory } from "@openemr-ops/files/ownedDirectory";
import type { DumpContext } from "../context.ts";
import type { FileSelection } from "../fileSelection.ts";
import type { Manifest } from "../manifest.ts";
import { type TakenTree, takeTree, treeIn } from "../staging/stagedTree.ts";
import { listingDifferences } from "../store/treeListing.ts";
import type { Difference } from "./compare.ts";

/** What the stored tree holds of a selection. */
export interface FoundFiles {
  /** Regular files and their bytes. */
  readonly files: number;
  readonly filesBytes: number;
  /** Numbers of the patterns or paths that select nothing. */
  readonly unmatched: readonly number[];
}

const counter = (selection: FileSelection, progress: DumpContext["progress"]) => {
  const matched = new Set<number>();
  const counts = { files: 0, filesBytes: 0 };
  return {
    wanted: {
      selection,
      onEntry: ({ kind, path, size }: { readonly kind: string; readonly path: string; readonly size: number }) => {
        for (const number of selection.matching(path)) matched.add(number);
        if (kind !== "file") return undefined;
        counts.files++;
        counts.filesBytes += size;
        progress({ step: "sites", files: counts.files, bytes: counts.filesBytes });
        return undefined;
      },
    },
    found: (): FoundFiles => ({
      ...counts,
      unmatched: Array.from({ length: selection.size }, (_, number) => number).filter((number) => !matched.has(number)),
    }),
  };
};

/** Looks for files in the stored tree; writes nothing. */
export const findFiles = async (
  context: DumpContext,
  manifest: Manifest,
  selection: FileSelection,
): Promise<FoundFiles> => {
  const { wanted, found } = counter(selection, context.progress);
  await context.store.listSites(manifest.sites.part, wanted, context);
  return found();
};

/** By its number alone: a pattern can hold a patient's name, and a job's record keeps this. @throws {InvalidInputError} fatal */
export const assertAllMatch = ({ dumpId }: Manifest, unmatched: readonly number[], given: number): void => {
  const which = (number: number) => (given === 1 ? "matches" : `number ${number + 1} of ${given} matches`);
  if (unmatched.length > 0)
    throw new InvalidInputError(
      unmatched.map((number) => ({
        path: "files",
        message: `${which(number)} nothing in dump ${dumpId}; browse lists its files`,
      })),
    );
};

/**
 * Unpacks the selected files into the empty staging directory and compares them with the store's own list: names, kinds,
 * sizes, modes, owners and times. Their content was compared by the store while it was read.
 *
 * @param check called with what was found, before anything of it counts; may throw
 */
export const takeFiles = async (
  context: DumpContext,
  manifest: Manifest,
  selection: FileSelection,
  staging: OwnedDirectory,
  check: (found: FoundFiles) => void = () => undefined,
): Promise<{ readonly tree: TakenTree; readonly found: FoundFiles; readonly differences: readonly Difference[] }> => {
  const { wanted, found } = counter(selection, context.progress);
  const unpack = async (name: string) => {
    const unpacked = await context.store.restoreSites(manifest.sites.part, staging, name, context, wanted);
    check(found());
    // Documents whose files the source itself had lost: an empty tree says so.
    const place = `${staging.at}/${name}`;
    if ((await readdir(place)).length === 0) await mkdir(`${place}/sites`);
    return unpacked;
  };
  const tree = await onThisMachine("restoring files", staging.path, () =>
    takeTree(staging, unpack, (path) => selection.matching(path).length > 0),
  );
  const { files, filesBytes } = found();
  const messages = [
    ...(tree.files === files && tree.byteLength === filesBytes
      ? []
      : [`${tree.files} files with ${tree.byteLength} bytes, the dump has ${files} with ${filesBytes}`]),
    ...(tree.listed ? await listingDifferences(treeIn(staging), tree.listing, tree.listed) : []),
  ];
  const differences = messages.map((message) => ({ kind: "files" as const, subject: "sites", message }));
  return { tree, found: found(), differences };
};
