import { Readable } from "node:stream";
import type { KeySet } from "@openemr-ops/openemr/crypto";
import { type ClosedReason, DoesNotOpen, decryptPieces } from "@openemr-ops/openemr/decryptPieces";
import { clearWithheldBy, lookedAtBytes, type WithheldBy } from "@openemr-ops/openemr/withheldFiles";
import type { OpenFile } from "./steadyFile.ts";

/** The clear bytes of an encrypted file, or why none leave. */
export type ClearFile =
  | {
      readonly opened: true;
      readonly byteLength: number;
      /** Reads the file once more where it is large; fails if it is no longer the one that was proven. */
      readonly body: () => Buffer | Readable;
    }
  | { readonly opened: false; readonly rule: WithheldBy }
  | { readonly opened: false; readonly reason: string };

/** Why a file does not open, in words. */
export const closedReasons: Readonly<Record<ClosedReason, string>> = {
  malformed: "it is no whole ciphertext",
  "key-missing": "the site has no key of its version",
  "wrong-key": "it was altered, or encrypted with another key",
};

/**
 * Reads an encrypted file to its end, where its MAC is, before any clear byte is given out.
 *
 * @param most clear bytes that may be kept; of a larger file only the beginning is, and it is read again to be sent
 */
export const openClear = async (file: OpenFile, keys: KeySet, most: number): Promise<ClearFile> => {
  const keep = file.byteLength <= most ? most : lookedAtBytes;
  const clear = () => decryptPieces(file.pieces(), keys);
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let byteLength = 0;
  try {
    for await (const piece of clear()) {
      byteLength += piece.length;
      if (keptBytes >= keep) continue;
      kept.push(piece);
      keptBytes += piece.length;
    }
  } catch (error) {
    if (error instanceof DoesNotOpen) return { opened: false, reason: closedReasons[error.reason] };
    throw error;
  }
  const beginning = Buffer.concat(kept);
  const rule = clearWithheldBy(beginning.subarray(0, lookedAtBytes), byteLength, keys);
  if (rule) return { opened: false, rule };
  const whole = keptBytes === byteLength;
  return {
    opened: true,
    byteLength,
    body: () => (whole ? beginning : Readable.from(clear(), { objectMode: false })),
  };
};
