import { buffer } from "node:stream/consumers";
import type { Destination } from "@openemr-ops/core/destination";

/** A whole object. */
export const bytesAt = async (destination: Destination, key: string): Promise<Buffer> => {
  const stream = await destination.get(key);
  if (!stream) throw new Error(`there is no ${key}`);
  return buffer(stream);
};
