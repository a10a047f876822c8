import type { Destination } from "@openemr-ops/core/destination";
import { inOrder } from "./inOrder.ts";

/** Removes objects, several at once. Nothing is under way when it ends, also when one fails. Safe to repeat. */
export const removeObjects = async (
  destination: Destination,
  keys: Iterable<string> | AsyncIterable<string>,
): Promise<void> => {
  const removals = inOrder<void>(16, () => undefined);
  try {
    for await (const key of keys) await removals.add(destination.delete(key));
    await removals.finish();
  } finally {
    await removals.settle();
  }
};
