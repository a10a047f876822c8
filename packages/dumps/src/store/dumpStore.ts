import type { Readable } from "node:stream";
import type { OpsError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { Directory } from "@openemr-ops/files/directory";
import type { FileSelection } from "../fileSelection.ts";
import type { Seal } from "../seal.ts";
import type { NotRestored } from "./notRestored.ts";
import type { Produce } from "./producer.ts";
import type { ListedEntry, TreeListing } from "./treeListing.ts";

/** Where one half of a dump lies: a snapshot of the repository, or an object. */
export type StoredPart =
  | { readonly kind: "snapshot"; readonly snapshotId: string }
  | {
      readonly kind: "object";
      readonly key: string;
      readonly byteLength: number;
      readonly sha256: string;
      /** SHA-256 of each piece of so many bytes, in order, so that a piece can be trusted before it is used. Older dumps have none. */
      readonly pieces?: { readonly byteLength: number; readonly sha256: readonly string[] } | undefined;
    };

export interface StoredSites {
  readonly part: StoredPart;
  readonly files: number;
  readonly directories: number;
  /** Bytes of the files' contents. */
  readonly byteLength: number;
  /** Files that disappeared between listing and reading, as temporary files do. */
  readonly vanished: number;
}

export interface UnpackedSites {
  /** What could not be set here: owners, modes, times, extended attributes. */
  readonly notRestored: readonly NotRestored[];
  /** What the stored tree holds by its own list; absent where there is none. */
  readonly listed?: TreeListing | undefined;
  /** The program that unpacked gave no file capabilities, whatever the dump holds. */
  readonly withoutCapabilities: boolean;
}

/** What every step of a store may need. */
export interface StoreRun {
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
}

export interface WriteSites {
  readonly dumpId: string;
  readonly takenAt: Date;
  readonly sitesPath: string;
  /** Globs below the tree; `*` matches one name. A directory whose contents are left out stays, empty. */
  readonly exclude: readonly string[];
}

/** What the store itself confirms of one dump or unfinished run: only someone with its secret can have put it there. */
export interface SealedDump {
  readonly takenAt: Date;
  /** Which of its parts are there. Without `manifest` it never became a dump, or lost it. */
  readonly database: boolean;
  readonly sites: boolean;
  readonly manifest: boolean;
  /** Of the manifest that was sealed; older dumps do not tell it. */
  readonly digest?: string;
}

/** Some entries of the tree. */
export interface WantedEntries {
  readonly selection: FileSelection;
  /** Called with each that is selected. */
  readonly onEntry: (entry: ListedEntry) => Promise<void> | undefined;
}

/** Who else keeps something in the same store. */
export interface Neighbour {
  /** An installation, or the name of a machine. */
  readonly host: string;
  /** Complete dumps of this program. */
  readonly dumps: number;
  /** What other programs stored, and under which tags. */
  readonly snapshots: number;
  readonly tags: readonly string[];
}

/** How a removal is written down before it happens, and carried out after. */
export interface RemovedDump {
  readonly dumpId: string;
  readonly parts: readonly StoredPart[];
}

/**
 * One way of keeping dumps at a destination. Manifests are not its business.
 *
 * Failures carry the `Destination…Error` names, {RepositoryPasswordError}, {IntegrityError} where stored bytes are
 * wrong, {SourceUnreadableError} for the tree. A write that fails leaves nothing that counts.
 */
export interface DumpStore {
  readonly format: "restic" | "portable";
  /** Names and versions of the programs in use. @throws {ToolMissingError} one is missing or too old */
  describeTools(): Promise<Readonly<Record<string, string>>>;
  /** Makes the destination ready; creates the repository when there is none and `create` allows it. */
  open(create: boolean, run: StoreRun): Promise<void>;
  /** Stores what `produce` sends; nothing is stored when it rejects. It has ended when this settles. */
  writeDatabase(
    dump: { readonly dumpId: string; readonly takenAt: Date },
    produce: Produce,
    run: StoreRun,
  ): Promise<StoredPart>;
  writeSites(sites: WriteSites, run: StoreRun): Promise<StoredSites>;
  /** A sealed copy of the manifest that whoever forges the plain one cannot forge; `undefined` where the format has none. */
  writeManifestCopy(
    dump: { readonly dumpId: string; readonly takenAt: Date; readonly digest: string },
    manifest: Buffer,
    run: StoreRun,
  ): Promise<StoredPart | undefined>;
  readManifestCopy(dumpId: string, run: StoreRun): Promise<Buffer | undefined>;
  /** The same of several dumps, in any order. Those without a copy are left out; one that cannot be read is an error. */
  readManifestCopies(
    dumpIds: readonly string[],
    take: (dumpId: string, copy: Buffer | OpsError) => void,
    run: StoreRun,
  ): Promise<void>;
  /**
   * All that this installation stored, by dump, in one look; `undefined` where the format seals each manifest by itself.
   *
   * @throws {RepositoryPasswordError | IntegrityError}
   */
  listSealed(run: StoreRun): Promise<ReadonlyMap<string, SealedDump> | undefined>;
  /** Who else has something there. @throws {RepositoryPasswordError | IntegrityError} */
  neighbours(run: StoreRun): Promise<readonly Neighbour[]>;
  /** What proves that a manifest or a note is ours; `undefined` where no key is configured. */
  seal(): Promise<Seal | undefined>;
  /** Streams the SQL; the promise rejects when the stream was not whole, unless `consume` closed it before its end. */
  readDatabase(part: StoredPart, consume: (stream: Readable) => Promise<void>, run: StoreRun): Promise<void>;
  /** Lists what is stored of the tree, in the store's order. Nothing of it is written anywhere. */
  listSites(part: StoredPart, wanted: WantedEntries, run: StoreRun): Promise<void>;
  /**
   * Unpacks the tree into the empty directory `name` of a staging directory, as its one entry. What comes there is as
   * foreign as the destination.
   *
   * @param only unpack these, and the directories that lead to them; `listed` is then of these alone
   * @throws {DiskFullError | LocalSystemError} the disk of the staging directory
   */
  restoreSites(
    part: StoredPart,
    staging: Directory,
    name: string,
    run: StoreRun,
    only?: WantedEntries,
  ): Promise<UnpackedSites>;
  /** Which of the parts are there, by listing only: no password needed. */
  presentParts(parts: readonly StoredPart[]): Promise<ReadonlySet<StoredPart>>;
  /** Checks stored bytes. `objects`: small ones; `read-data`: all, or the `share` of them. @throws {IntegrityError} */
  verify(
    level: "objects" | "read-data",
    parts: readonly StoredPart[],
    run: StoreRun & { readonly share?: string | undefined },
  ): Promise<void>;
  /**
   * Runs whose parts lie there and that are not `known`. `mayBeWhole`: it has both halves and nothing proves that it was
   * to be removed, so that only its manifest may be lost.
   */
  orphans(
    known: ReadonlySet<string>,
    run: StoreRun,
  ): Promise<readonly { readonly dumpId: string; readonly mayBeWhole?: boolean }[]>;
  /** Writes down, before its manifest goes, that a dump is to be removed: a run that stops there is not mistaken for a loss. */
  announceRemoval(dumpId: string): Promise<void>;
  /** Removes the parts of dumps; safe to repeat, absent is fine. `reclaim` gives the space back. */
  remove(dumps: readonly RemovedDump[], run: StoreRun): Promise<void>;
  reclaim(run: StoreRun): Promise<void>;
  /** Frees what a dead run left behind. The caller holds our lock on the destination; who only reads needs none of it. */
  recover(run: StoreRun): Promise<void>;
}
