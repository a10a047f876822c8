import type { StoredObject } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { bytePath } from "@openemr-ops/files/bytePath";
import { inOrder } from "../inOrder.ts";
import { placeOf } from "../inventory/parquet.ts";
import type { InventoryRow } from "../inventory/row.ts";
import { type Batches, type Joined, mergeJoin } from "../mergeJoin.ts";
import type { FoundFile } from "../sendFile.ts";
import { readSteadily } from "../steadyFile.ts";

type Row = InventoryRow | undefined;
type Streams = { readonly row: InventoryRow; readonly stored: StoredObject };

export interface ListedFiles {
  readonly root: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** The draft, in order. */
  readonly draft: Batches<InventoryRow>;
  /** What lies there now, in order. */
  readonly stored: Batches<StoredObject>;
  /** Sends a file of which the service may have copied another state. What lies there goes, unless it is replaced. */
  readonly sendAgain: (file: FoundFile) => Promise<Row>;
  /** The object is the copy of the file. */
  readonly arrived: (row: InventoryRow) => InventoryRow;
  readonly remove: (place: string) => Promise<void>;
  /** Takes the rows of the inventory, in order. */
  readonly addRow: (row: InventoryRow) => Promise<void> | undefined;
}

/** Rows that wait for the one before them. */
const rowsAhead = 4096;

/**
 * Compares what a service copied with the list that it was given: every file has arrived with its size, and nothing has arrived
 * besides. Each file is looked at once more: one that has changed in any way since its beginning was read is sent by ourselves,
 * for nobody has looked at what was copied.
 *
 * @throws {IntegrityError} damaged: something is absent, has another size, or was not on the list; the latter is removed
 */
export const settleListed = async (listed: ListedFiles): Promise<void> => {
  const { root, now, signal, remove, addRow } = listed;
  const wrong = { absent: 0, size: 0, unasked: 0 };

  const isAsSeen = async ({ path, byteLength, modifiedNs, reason }: InventoryRow): Promise<boolean> => {
    const read = await readSteadily(bytePath(root, path), now, async ({ changedNs }) => changedNs);
    const isSame = read.outcome === "read" && read.byteLength === byteLength && read.modifiedNs === modifiedNs;
    return isSame && String(read.result) === reason;
  };

  const settle = async (row: InventoryRow, stored: StoredObject | undefined): Promise<Row> => {
    const { place: key, path, byteLength = 0, modifiedNs = 0n } = row;
    // The same mark as before: it was not replaced, or by the same bytes.
    const isReplaced = stored !== undefined && stored.etag !== row.etag;
    const isUnchanged = await isAsSeen(row);
    signal.throwIfAborted();
    if (isUnchanged && stored === undefined) wrong.absent += 1;
    else if (isUnchanged && stored?.byteLength !== byteLength) wrong.size += 1;
    else if (isUnchanged && isReplaced)
      return listed.arrived({ ...row, state: "present", etag: stored.etag, reason: undefined });
    else return listed.sendAgain({ kind: "file", key, path, byteLength, modifiedNs });
    return undefined;
  };

  const add = async ({ key, row, stored }: Joined<Streams>): Promise<void> => {
    if (row?.state === "listed") return rows.add(settle(row, stored));
    if (stored && stored.etag !== row?.etag) {
      wrong.unasked += 1;
      await remove(key);
    }
    if (row) await rows.add(row);
  };

  const rows = inOrder<Row>(rowsAhead, (row) => (row ? addRow(row) : undefined));
  try {
    for await (const batch of mergeJoin<Streams>(
      { row: listed.draft, stored: listed.stored },
      { row: ({ place }) => place, stored: placeOf },
    ))
      for (const compared of batch) {
        signal.throwIfAborted();
        await add(compared);
      }
    await rows.finish();
  } finally {
    await rows.settle();
  }
  const { absent, size, unasked } = wrong;
  if (absent + size + unasked > 0)
    throw new IntegrityError(
      `what was copied is not what was asked for: ${absent} file(s) of the list did not arrive, ${size} have another size, ${unasked} object(s) below sites/ were not on the list and were removed: look whether the task of DataSync has other sources or a schedule, and whether somebody else writes there, and export again`,
    );
};
