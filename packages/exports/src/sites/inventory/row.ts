/**
 * The result for one file.
 * - `present`: the object is a copy of the file as it was at `exportedAt`.
 * - `deleted`: the file is gone since `deletedAt`; the object may still be there.
 * - `unstable`: the file changed each time it was read; the object, where there is one, is an earlier copy.
 * - `unreadable`: the file or directory could not be read; likewise.
 * - `undecryptable`: it does not open with the site's keys, and documents leave decrypted; likewise.
 * - `skipped`: no regular file, or its key would be too long; there is no object.
 * - `listed`: in the draft of an inventory alone: a service shall copy it. `etag` is that of the object before, `reason` the
 *   nanosecond in which anything of the file last changed.
 */
export type FileState = "present" | "deleted" | "unstable" | "unreadable" | "undecryptable" | "skipped" | "listed";

/** One row of the inventory: an object, or a file that has none. */
export interface InventoryRow {
  /** Below `sites/`, bytes as in `objectNames.ts`: the order of the rows. */
  readonly place: string;
  /** Below the sites directory, one character a byte. */
  readonly path: string;
  readonly state: FileState;
  /** Why it is not `present`. */
  readonly reason?: string | undefined;
  /** Of the file. */
  readonly byteLength?: number | undefined;
  readonly modifiedNs?: bigint | undefined;
  readonly sha256?: string | undefined;
  /** What was done to the file's bytes. Not set: nothing, and the object has as many. */
  readonly treatment?: "decrypted" | undefined;
  /** Of the object, where they are others than those of the file. */
  readonly objectBytes?: number | undefined;
  /** Of the object; not set where there is none. */
  readonly etag?: string | undefined;
  /** When the file was read. */
  readonly exportedAt?: Date | undefined;
  readonly deletedAt?: Date | undefined;
}

/** A stored part of an inventory. */
export interface InventoryPart {
  /** Below the destination. */
  readonly key: string;
  readonly sha256: string;
  readonly rows: number;
}
