import { createHash } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";

/** A small object whole, with its digest; `undefined` when there is none. */
export const readAllOf = async (
  destination: Destination,
  key: string,
): Promise<{ readonly bytes: Buffer; readonly sha256: string } | undefined> => {
  const stream = await destination.get(key);
  if (!stream) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
};
