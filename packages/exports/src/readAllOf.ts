import { createHash } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";

export interface SmallObject {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Above every manifest, list and part of an inventory that an export writes: others may write there too. */
const largestBytes = 32 * 1024 * 1024;

/**
 * A small object whole, with its digest; `undefined` when there is none.
 *
 * @throws {IntegrityError} damaged: it is larger than anything that an export reads back; its rest is not read
 */
export const readAllOf = async (destination: Destination, key: string): Promise<SmallObject | undefined> => {
  const stream = await destination.get(key);
  if (!stream) return undefined;
  const chunks: Buffer[] = [];
  let read = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    read += chunk.length;
    if (read > largestBytes)
      throw new IntegrityError(
        `${key} in ${destination.url} is larger than ${largestBytes / 1024 / 1024} MiB, which no export writes there: find out who wrote it, remove it, and export again`,
      );
  }
  const bytes = Buffer.concat(chunks);
  return { bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
};
