import { type KeyVersion, labelsOf, type WritableKeyVersion } from "./crypto.ts";
import type { SiteKeys } from "./keys.ts";
import type { OpenEmrVersion } from "./version.ts";

/** The release that wrote each version first; the oldest that we write is of releases before all of these. */
const firstReleases: readonly { readonly version: WritableKeyVersion; readonly release: readonly number[] }[] = [
  { version: 7, release: [7, 0, 4] },
  { version: 6, release: [6, 0, 0] },
];
const beforeThose: WritableKeyVersion = 5;

/** Writable versions, the newest first. */
const newestFirst: readonly WritableKeyVersion[] = [7, 6, 5, 4];

/** Table `version` says which release runs; a release of nothing but zeros is none. */
const isKnown = (release: OpenEmrVersion | undefined): release is OpenEmrVersion => (release?.major ?? 0) > 0;

/**
 * The newest version that a running OpenEMR reads. Older releases read none that are newer than what they write: a value is
 * then no value for them. Code that leads up to the first release of a version may read it or not, and of an unknown release
 * nothing is known: both read what they wrote themselves.
 *
 * @param release row of table `version`
 * @param written version of a value that OpenEMR has in use, and that opens
 * @returns `undefined` where nothing shows it
 */
export const newestReadBy = (
  release: OpenEmrVersion | undefined,
  written: KeyVersion | undefined,
): KeyVersion | undefined => {
  if (!isKnown(release)) return written;
  const { major, minor, patch, tag } = release;
  for (const { version, release: first } of firstReleases) {
    const order = [major, minor, patch].map((number, index) => number - (first[index] ?? 0)).find((one) => one !== 0);
    if ((order ?? 0) > 0 || (order === undefined && tag === "")) return version;
    if (order === undefined) return written === version ? version : ((version - 1) as KeyVersion);
  }
  return beforeThose;
};

/** Writable versions whose key pair can be used on both sides, drive and database; the newest first. */
export const usablePairs = ({ keys }: Pick<SiteKeys, "keys">): readonly WritableKeyVersion[] =>
  newestFirst.filter((version) =>
    labelsOf(version).every((label) => keys.drive.has(label) && keys.database.has(label)),
  );

/** Whether a running OpenEMR takes a stored setting that has no version in front as it is, instead of as one that does not open. */
export const takesClearText = (release: OpenEmrVersion | undefined): boolean => isKnown(release) && release.major >= 8;
