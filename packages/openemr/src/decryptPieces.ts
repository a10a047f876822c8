import { createDecipheriv, createHmac, type Decipheriv, type Hmac, timingSafeEqual } from "node:crypto";
import { hmacOf, type KeySet, type KeyVersion, labelsOf, versionOf } from "./crypto.ts";

/** Why a file of OpenEMR's does not open; see `decrypt`. */
export type ClosedReason = "malformed" | "key-missing" | "wrong-key";

/** An encrypted file does not open. The bytes that came before count for nothing. */
export class DoesNotOpen extends Error {
  readonly reason: ClosedReason;
  constructor(reason: ClosedReason) {
    super(reason);
    this.reason = reason;
  }
}

/** How much of a file's start `startsEncrypted` looks at. Bytes. */
export const encryptedStartBytes = 67;

/**
 * Whether a file that begins so is one that OpenEMR encrypted: a version, and then base64 alone. The shortest ciphertext has more
 * than these bytes, except of version 1, which has no HMAC; text that people write has a space or a stop among them: it is taken as it is.
 */
export const startsEncrypted = (start: Buffer): boolean => {
  const text = start.subarray(0, encryptedStartBytes).toString("latin1");
  const version = versionOf(text);
  if (version === undefined) return false;
  const shortest = hmacOf(version) ? encryptedStartBytes : 3 + 43;
  return text.length >= shortest && /^[A-Za-z0-9+/]*=*\s*$/.test(text.slice(3));
};

/** Node skips what is no letter of base64, and takes those for URLs: fewer bytes, or one of these, is what tells. */
const decodeStrictly = (letters: string): Buffer => {
  const bytes = Buffer.from(letters, "base64");
  const isStrict = bytes.length === Math.floor((letters.length * 3) / 4);
  if (!isStrict || ["-", "_", "="].some((letter) => letters.includes(letter))) throw new DoesNotOpen("malformed");
  return bytes;
};

/** Base64 in pieces, by the rules of `crypto.ts`: white space skipped, padding optional, everything else refused. */
const base64Decoder = () => {
  let rest = "";
  let letters = 0;
  let padding = 0;
  return {
    decode: (piece: Buffer): Buffer => {
      const text = piece.toString("latin1").replace(/[ \t\r\n]+/g, "");
      const body = text.replace(/=+$/, "");
      if (padding > 0 && body.length > 0) throw new DoesNotOpen("malformed");
      padding += text.length - body.length;
      letters += body.length;
      const all = rest + body;
      const whole = all.length - (all.length % 4);
      rest = all.slice(whole);
      return decodeStrictly(all.slice(0, whole));
    },
    end: (): Buffer => {
      if (rest.length === 1 || padding > 2 || (padding > 0 && (letters + padding) % 4 !== 0))
        throw new DoesNotOpen("malformed");
      return decodeStrictly(rest);
    },
  };
};

/** What the head of a ciphertext sets up: its MAC to compare with in the end, and the cipher with its IV. */
interface Opening {
  readonly mac: Buffer;
  readonly hmac: Hmac | undefined;
  readonly decipher: Decipheriv;
}

const keysFor = (version: KeyVersion, keys: KeySet): readonly Buffer[] => {
  const found = labelsOf(version).map((label) => keys[version <= 3 ? "drive" : "database"].get(label));
  const usable = found.filter((key) => key !== undefined);
  if (usable.length < found.length) throw new DoesNotOpen("key-missing");
  return usable;
};

const open = (version: KeyVersion, [cipherKey, macKey]: readonly Buffer[], head: Buffer): Opening => {
  const scheme = hmacOf(version);
  const mac = head.subarray(0, scheme?.bytes ?? 0);
  const iv = head.subarray(mac.length);
  const hmac = scheme && macKey ? createHmac(scheme.algorithm, macKey).update(iv) : undefined;
  return { mac, hmac, decipher: createDecipheriv("aes-256-cbc", cipherKey ?? Buffer.alloc(0), iv) };
};

/**
 * Opens an encrypted file of the sites tree piece by piece, as `decrypt` opens a value. **The MAC is over the whole and is compared at
 * the end: no byte that came before may be used until this has ended without an error.**
 *
 * @param pieces the file's bytes, prefix included; it is one that `startsEncrypted`
 * @throws {DoesNotOpen} its keys are not there, or it was altered
 */
export const decryptPieces = async function* (
  pieces: AsyncIterable<Buffer>,
  keys: KeySet,
): AsyncGenerator<Buffer, void> {
  const decoder = base64Decoder();
  let prefix = Buffer.alloc(0);
  let head = Buffer.alloc(0);
  let headBytes = 0;
  let version: KeyVersion | undefined;
  let opening: Opening | undefined;
  let cipherBytes = 0;

  const take = (decoded: Buffer): Buffer => {
    let sealed = decoded;
    if (!opening) {
      head = Buffer.concat([head, decoded]);
      if (version === undefined || head.length < headBytes) return Buffer.alloc(0);
      opening = open(version, keysFor(version, keys), head.subarray(0, headBytes));
      sealed = head.subarray(headBytes);
    }
    cipherBytes += sealed.length;
    opening.hmac?.update(sealed);
    return opening.decipher.update(sealed);
  };

  for await (const piece of pieces) {
    let text = piece;
    if (version === undefined) {
      prefix = Buffer.concat([prefix, piece]);
      if (prefix.length < 3) continue;
      version = versionOf(prefix.toString("latin1", 0, 3));
      if (version === undefined) throw new DoesNotOpen("malformed");
      headBytes = (hmacOf(version)?.bytes ?? 0) + 16;
      text = prefix.subarray(3);
    }
    const clear = take(decoder.decode(text));
    if (clear.length > 0) yield clear;
  }
  const last = take(decoder.end());
  if (last.length > 0) yield last;
  if (!opening || cipherBytes < 16) throw new DoesNotOpen("malformed");
  const { hmac, mac, decipher } = opening;
  if (hmac && !timingSafeEqual(hmac.digest(), mac)) throw new DoesNotOpen("wrong-key");
  let end: Buffer;
  try {
    end = decipher.final();
  } catch {
    throw new DoesNotOpen("wrong-key");
  }
  if (end.length > 0) yield end;
};
