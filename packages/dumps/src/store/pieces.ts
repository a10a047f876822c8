import { createHash, type Hash } from "node:crypto";

/** Large enough for few digests in a manifest, small enough to be held until one is known. */
export const pieceBytes = 16 * 2 ** 20;

/** SHA-256 of each piece of what passes. */
export const piecesDigest = () => {
  const sha256: string[] = [];
  let piece: Hash | undefined;
  let held = 0;
  const close = (): void => {
    if (piece) sha256.push(piece.digest("hex"));
    piece = undefined;
    held = 0;
  };
  return {
    update: (chunk: Buffer): void => {
      for (let at = 0; at < chunk.length; ) {
        const taken = chunk.subarray(at, at + pieceBytes - held);
        piece ??= createHash("sha256");
        piece.update(taken);
        held += taken.length;
        at += taken.length;
        if (held === pieceBytes) close();
      }
    },
    digest: () => {
      close();
      return { byteLength: pieceBytes, sha256 };
    },
  };
};

/**
 * Hands on the bytes of a stored object: each piece only when its digest is the one expected, and none behind the
 * object's announced end.
 *
 * @throws what `damaged` makes, at the first piece that differs, at too few bytes, or at one too many
 */
export const verifiedPieces = async function* (
  stored: AsyncIterable<Buffer>,
  expected: {
    readonly byteLength: number;
    readonly sha256: string;
    readonly pieces?: { readonly byteLength: number; readonly sha256: readonly string[] } | undefined;
  },
  damaged: () => Error,
): AsyncGenerator<Buffer, void> {
  const { byteLength: total, pieces } = expected;
  const whole = createHash("sha256");
  let read = 0;
  let number = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const assertPiece = (): void => {
    const digest = createHash("sha256");
    for (const chunk of held) digest.update(chunk);
    if (digest.digest("hex") !== pieces?.sha256[number]) throw damaged();
    number++;
  };
  for await (const chunk of stored) {
    read += chunk.length;
    if (read > total) throw damaged();
    whole.update(chunk);
    if (!pieces) {
      yield chunk;
      continue;
    }
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + pieces.byteLength - heldBytes);
      at += taken.length;
      held.push(taken);
      heldBytes += taken.length;
      if (heldBytes < pieces.byteLength) continue;
      assertPiece();
      yield* held;
      held = [];
      heldBytes = 0;
    }
  }
  if (read !== total) throw damaged();
  if (heldBytes > 0) assertPiece();
  if (whole.digest("hex") !== expected.sha256) throw damaged(); // before the last piece is passed on
  yield* held;
};
