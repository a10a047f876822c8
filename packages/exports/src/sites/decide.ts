import type { StoredObject } from "@openemr-ops/core/destination";
import { pathWithheldBy } from "@openemr-ops/openemr/withheldFiles";
import type { InventoryRow } from "./inventory/row.ts";
import { pathOfKey } from "./objectNames.ts";
import type { FoundEntry } from "./orderedWalk.ts";

/** What the tree, the destination and the last inventory have of one key. */
export interface Compared {
  readonly key: string;
  readonly source?: FoundEntry;
  readonly stored?: StoredObject;
  readonly known?: InventoryRow;
}

export type Action =
  /** The object is a copy of the file. */
  | { readonly do: "keep"; readonly row: InventoryRow; readonly source: FoundEntry & { readonly kind: "file" } }
  | { readonly do: "upload"; readonly source: FoundEntry & { readonly kind: "file" } }
  /** An object that no inventory knows, of an interrupted run: the store knows which file it is a copy of. */
  | { readonly do: "ask"; readonly source: FoundEntry & { readonly kind: "file" }; readonly stored: StoredObject }
  /** Nothing is sent; the row says why. */
  | { readonly do: "list"; readonly row: InventoryRow }
  /** The file is gone. `since`: an earlier run has recorded it. */
  | { readonly do: "delete"; readonly row: InventoryRow; readonly since?: Date; readonly hasObject: boolean }
  /** What may not leave lies at the destination: a rule is newer than the object. */
  | { readonly do: "withdraw" }
  | { readonly do: "nothing" };

/**
 * A file system tells times only so finely: a file that was read this soon after its change may have changed again with the
 * same time.
 */
const settledAfterNs = 50_000_000n;

const isSettled = ({ modifiedNs, exportedAt }: InventoryRow): boolean =>
  modifiedNs !== undefined &&
  exportedAt !== undefined &&
  BigInt(exportedAt.getTime()) * 1_000_000n - modifiedNs > settledAfterNs;

const isSameObject = (stored: StoredObject, known: InventoryRow): boolean =>
  stored.byteLength === (known.objectBytes ?? known.byteLength) && stored.etag === known.etag;

/**
 * What is to be done about one key. Asks nobody.
 *
 * @param decrypts whether encrypted files leave decrypted
 */
export const decide = ({ key, source, stored, known }: Compared, decrypts: boolean): Action => {
  if (source?.kind === "file") {
    if (!stored) return { do: "upload", source };
    if (!known || known.etag === undefined) return { do: "ask", source, stored };
    const unchanged =
      known.state === "present" &&
      (decrypts || known.treatment === undefined) &&
      known.byteLength === source.byteLength &&
      known.modifiedNs === source.modifiedNs &&
      isSettled(known) &&
      isSameObject(stored, known);
    return unchanged ? { do: "keep", row: known, source } : { do: "upload", source };
  }
  if (source?.kind === "unreadable") {
    const { path, reason } = source;
    const earlier = stored && known ? known : { etag: stored?.etag };
    return { do: "list", row: { ...earlier, place: key, path, state: "unreadable", reason } };
  }
  if (!stored && !known?.etag && known?.state !== "deleted")
    return source
      ? { do: "list", row: { place: key, path: source.path, state: "skipped", reason: source.reason } }
      : { do: "nothing" };
  const path = known?.path ?? pathOfKey(key);
  if (pathWithheldBy(path)) return stored ? { do: "withdraw" } : { do: "nothing" };
  const foreign = { sha256: undefined, treatment: undefined, objectBytes: undefined };
  const mark = stored && (known?.etag === stored.etag ? {} : { ...foreign, byteLength: stored.byteLength });
  const reason = source?.kind === "skipped" ? `now a ${source.reason}` : "the file is gone";
  const row: InventoryRow = { ...known, ...mark, place: key, path, etag: stored?.etag, state: "deleted", reason };
  return {
    do: "delete",
    row,
    hasObject: stored !== undefined,
    ...(known?.state === "deleted" && known.deletedAt ? { since: known.deletedAt } : {}),
  };
};
