import type { Destination } from "@openemr-ops/core/destination";
import * as z from "zod";
import { storedJson } from "../storedJson.ts";
import { inventoryFolder } from "./inventory/parts.ts";
import type { InventoryPart } from "./inventory/row.ts";
import { removeObjects } from "./removeObjects.ts";

/** Written last by a run that exported everything: who finds it can trust the parts that it names, and them alone. */
export const successKey = "sites/_SUCCESS";
/** In its place by a run that could not read everything. The next run goes on from it; it goes with the next success. */
export const incompleteKey = "sites/_INCOMPLETE";

export interface SitesFigures {
  readonly files: number;
  readonly bytes: number;
  readonly uploaded: number;
  readonly unchanged: number;
  readonly deleted: number;
  readonly excluded: number;
  readonly unstable: number;
  readonly unreadable: number;
  readonly skipped: number;
  /** Both only where documents leave decrypted. */
  readonly decrypted?: number;
  readonly undecryptable?: number;
}

/** What `_SUCCESS` and `_INCOMPLETE` hold, as JSON. */
export interface SitesSeal {
  readonly version: 1;
  readonly exportId: string;
  readonly installation: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly inventory: readonly InventoryPart[];
  readonly figures: SitesFigures;
  /** How many files each rule kept from leaving, by the rule's name. */
  readonly excludedBy: Readonly<Record<string, number>>;
  /** Files that OpenEMR encrypted lie there in clear. */
  readonly documents?: "decrypted";
}

/** As much of it as the next run needs. */
const sealShape = z.object({
  version: z.literal(1),
  finishedAt: z.string(),
  inventory: z.array(z.object({ key: z.string().startsWith(inventoryFolder), sha256: z.string(), rows: z.number() })),
  documents: z.literal("decrypted").optional(),
});
type EarlierSeal = z.output<typeof sealShape>;

export interface Sealed {
  readonly success: EarlierSeal | undefined;
  readonly incomplete: EarlierSeal | undefined;
  /** The newer one of both: what the destination holds, as far as anybody knows. */
  readonly newest: EarlierSeal | undefined;
}

/** What earlier runs left. @throws {IntegrityError} damaged: it is not readable */
export const readSeals = async (destination: Destination): Promise<Sealed> => {
  const [success, incomplete] = await Promise.all([
    storedJson(destination, successKey, sealShape),
    storedJson(destination, incompleteKey, sealShape),
  ]);
  const newest =
    success && incomplete
      ? success.finishedAt >= incomplete.finishedAt
        ? success
        : incomplete
      : (success ?? incomplete);
  return { success, incomplete, newest };
};

/**
 * Publishes a run. The parts of its inventory are stored already; those of earlier runs are removed after it, except those that a
 * `_SUCCESS` that stays names.
 */
export const writeSeal = async (
  destination: Destination,
  seal: SitesSeal,
  { complete, earlier }: { readonly complete: boolean; readonly earlier: Sealed },
): Promise<void> => {
  await destination.put(complete ? successKey : incompleteKey, Buffer.from(`${JSON.stringify(seal, undefined, 2)}\n`));
  if (complete) await destination.delete(incompleteKey);
  const kept = new Set(
    [seal, ...(complete ? [] : [earlier.success])].flatMap((each) => each?.inventory.map(({ key }) => key) ?? []),
  );
  const stale: string[] = [];
  for await (const { key } of destination.list(inventoryFolder)) if (!kept.has(key)) stale.push(key);
  await removeObjects(destination, stale);
};
