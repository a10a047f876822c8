import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { SourceLayoutError, SourceUnreadableError } from "@openemr-ops/core/errors";
import { mountPoints } from "@openemr-ops/files/mounts";
import type { Manifest, SourceWarning } from "../manifest.ts";
import type { Inspection } from "./inspect.ts";

/** What is mounted in the sites tree, below its root: `""` is the tree itself. */
export type SourceMounts = NonNullable<Manifest["sites"]["mounts"]>;

/** @param sitesPath without links on the way */
export const mountsIn = async (sitesPath: string): Promise<SourceMounts> => {
  const mounts = new Map<string, string>();
  for (const { path, type } of await mountPoints().catch(() => [])) {
    const called = Buffer.from(path, "latin1").toString();
    // Of several at one place the last one counts, which hides the others.
    if (called === sitesPath || called.startsWith(`${sitesPath}/`))
      mounts.set(called.slice(sitesPath.length + 1), type);
  }
  return [...mounts].map(([at, type]) => ({ at, type })).sort((one, other) => (one.at < other.at ? -1 : 1));
};

const nameOf = (at: string) => (at === "" ? "the sites directory" : `${at} in the sites directory`);

const isEmptyDirectory = (path: string): Promise<boolean> =>
  readdir(path).then(
    (names) => names.length === 0,
    () => false,
  );

/**
 * Compares with the newest dump what is mounted in the tree. A volume that is not mounted leaves an empty directory, and a
 * dump of that would be complete and hold nothing.
 *
 * @returns what a person has to look at: a move to another volume looks like this too
 * @throws {SourceLayoutError} refused: a place that was a mount point is empty now
 */
export const compareMounts = async (
  sitesPath: string,
  mounts: SourceMounts,
  earlier: Manifest | undefined,
): Promise<readonly SourceWarning[]> => {
  const changes: string[] = [];
  for (const { at, type } of earlier?.sites.mounts ?? []) {
    const now = mounts.find((mount) => mount.at === at);
    if (now?.type === type) continue;
    if (!now && (await isEmptyDirectory(join(sitesPath, at))))
      throw new SourceLayoutError(
        `${nameOf(at)} was a mounted volume in dump ${earlier?.dumpId} and is an empty directory now: mount the volume; if nothing belongs there any more, remove the directory`,
      );
    changes.push(`${nameOf(at)} was a volume of type ${type} and is ${now ? `one of type ${now.type}` : "none"}`);
  }
  return changes.length === 0
    ? []
    : [
        {
          code: "other-volume",
          message: `the tree is not on the volumes that it was on in dump ${earlier?.dumpId}: ${changes.slice(0, 5).join("; ")}; make sure that this is the tree that OpenEMR uses`,
          count: changes.length,
        },
      ];
};

/**
 * A tree on another volume, in which no document of a site is left, is an old copy or the one of an image.
 *
 * @throws {SourceLayoutError} refused
 */
export const assertDocumentsThere = (
  changed: readonly SourceWarning[],
  documents: Inspection["documents"],
  earlier: Manifest | undefined,
): void => {
  if (changed.length === 0 || !earlier) return;
  for (const [site, { rows, missing }] of Object.entries(documents)) {
    const before = earlier.documents[site];
    if (rows === 0 || missing < rows || !before || before.missing >= before.rows) continue;
    throw new SourceLayoutError(
      `site ${site}: none of the files of ${rows} documents is there, and the tree is on another volume than in dump ${earlier.dumpId}: mount the right volume, or point sites.path at the right tree`,
    );
  }
};

/** @throws {SourceUnreadableError} fatal: what cannot be read beside the sites was a site in the newest dump */
export const assertNoSite = (beside: readonly string[], earlier: Manifest | undefined): void => {
  const lost = beside.filter((name) => earlier?.openemr.sites.includes(name));
  if (lost.length > 0)
    throw new SourceUnreadableError(
      `site ${lost.slice(0, 5).join(", ")} was in dump ${earlier?.dumpId} and cannot be read now: let this program's user read all of it`,
    );
};
