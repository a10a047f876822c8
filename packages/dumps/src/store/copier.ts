import type { Manifest } from "../manifest.ts";
import type { StoredPart, StoreRun } from "./dumpStore.ts";

/** Where the parts of a dump are at a copy, for who looks there without a password. */
export interface CopiedParts {
  readonly database: StoredPart;
  readonly sites: StoredPart;
  /** Where the store has a sealed copy of the manifest. */
  readonly manifest?: StoredPart | undefined;
}

/**
 * Brings dumps from one store to another of the same format. Plain manifests are its caller's.
 *
 * Failures carry the names that those of a `DumpStore` have; {InstallationBusyError} where somebody tidied the first store up
 * meanwhile. Each step is safe to repeat, and what is there already is not sent again.
 */
export interface Copier {
  /** Makes the second store ready; creates the repository when there is none and `create` allows it. */
  open(create: boolean, run: StoreRun): Promise<void>;
  /** Both halves. They are whole at the second store when it resolves. */
  halves(manifest: Manifest, run: StoreRun): Promise<void>;
  /** The sealed copy of the manifest, by which the second store counts the dump; nothing where the format has none. */
  seal(manifest: Manifest, run: StoreRun): Promise<void>;
  /** @throws {IntegrityError} one of them is not there */
  parts(manifest: Manifest, run: StoreRun): Promise<CopiedParts>;
}
