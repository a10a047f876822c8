import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";

/** The three digits in front of a ciphertext, as a number. They name the key: there is no other key id. */
export const keyVersions = [1, 2, 3, 4, 5, 6, 7] as const;
export type KeyVersion = (typeof keyVersions)[number];
/** Versions that releases still write; 1 to 3 are only read. */
export type WritableKeyVersion = 4 | 5 | 6 | 7;

/** Name of a key: a drive key's file name, and for versions four to seven also the database key's row. */
export const keyLabels = [
  "one",
  "twoa",
  "twob",
  "foura",
  "fourb",
  "fivea",
  "fiveb",
  "sixa",
  "sixb",
  "sevena",
  "sevenb",
] as const;
export type KeyLabel = (typeof keyLabels)[number];

/** 32 bytes each, used as they are. */
export type RawKeys = ReadonlyMap<KeyLabel, Buffer>;
/** Values kept in the database are sealed with drive keys, files kept on disk with database keys. */
export type KeySource = "drive" | "database";
export type KeySet = Readonly<Record<KeySource, RawKeys>>;

interface Scheme {
  /** Key of AES-256-CBC, then key of the HMAC; version 1 has no HMAC, version 3 no keys of its own. */
  readonly labels: readonly KeyLabel[];
  readonly hmac: { readonly algorithm: "sha256" | "sha384"; readonly bytes: number } | undefined;
}
const sha256 = { algorithm: "sha256", bytes: 32 } as const;
const sha384 = { algorithm: "sha384", bytes: 48 } as const;
const schemes: Readonly<Record<KeyVersion, Scheme>> = {
  1: { labels: ["one"], hmac: undefined },
  2: { labels: ["twoa", "twob"], hmac: sha256 },
  3: { labels: ["twoa", "twob"], hmac: sha256 },
  4: { labels: ["foura", "fourb"], hmac: sha384 },
  5: { labels: ["fivea", "fiveb"], hmac: sha384 },
  6: { labels: ["sixa", "sixb"], hmac: sha384 },
  7: { labels: ["sevena", "sevenb"], hmac: sha384 },
};

/** The keys that a ciphertext of this version needs. */
export const labelsOf = (version: KeyVersion): readonly KeyLabel[] => schemes[version].labels;

/** How a ciphertext of this version is authenticated; version 1 is not. */
export const hmacOf = (version: KeyVersion): Scheme["hmac"] => schemes[version].hmac;

/** Version in a ciphertext's first three characters; `undefined` for text that OpenEMR takes for clear. */
export const versionOf = (text: string): KeyVersion | undefined =>
  /^00[1-7]/.test(text) ? (Number(text[2]) as KeyVersion) : undefined;

/** Has the prefix, and the rest decodes to something long enough to be a ciphertext. */
export const looksEncrypted = (text: string): boolean => {
  const version = versionOf(text);
  const payload = version === undefined ? undefined : decodeBase64(text.slice(3));
  return version !== undefined && payload !== undefined && payload.length >= shortestPayload(version);
};

export type Decryption =
  | { readonly opened: true; readonly plaintext: Buffer }
  | { readonly opened: false; readonly reason: "not-ciphertext" | "malformed" | "key-missing" | "wrong-key" };

/**
 * Opens one ciphertext. Never throws for its content: a value that does not open is an answer, not a failure.
 * `wrong-key` covers altered bytes too; the HMAC cannot tell the two apart. Version 1 has no HMAC, so a wrong key
 * or an altered byte may go unnoticed there. The rules are those of OpenEMR's CryptoGen.
 */
export const decrypt = (ciphertext: string, keys: KeySet, source: KeySource): Decryption => {
  const version = versionOf(ciphertext);
  if (version === undefined) return { opened: false, reason: "not-ciphertext" };
  const payload = decodeBase64(ciphertext.slice(3));
  if (payload === undefined || payload.length < shortestPayload(version)) return { opened: false, reason: "malformed" };

  const { labels, hmac } = schemes[version];
  const [cipherKey, macKey] = labels.map((label) => keys[version <= 3 ? "drive" : source].get(label));
  if (cipherKey === undefined) return { opened: false, reason: "key-missing" };
  const sealed = payload.subarray(hmac?.bytes ?? 0);
  if (hmac) {
    if (macKey === undefined) return { opened: false, reason: "key-missing" };
    const expected = createHmac(hmac.algorithm, macKey).update(sealed).digest();
    if (!timingSafeEqual(expected, payload.subarray(0, hmac.bytes))) return { opened: false, reason: "wrong-key" };
  }
  try {
    const decipher = createDecipheriv("aes-256-cbc", cipherKey, sealed.subarray(0, 16));
    return { opened: true, plaintext: Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()]) };
  } catch {
    return { opened: false, reason: "wrong-key" };
  }
};

/**
 * Seals as OpenEMR does. Same arguments, same ciphertext.
 *
 * @param keys the drive keys for a value in the database, the database keys for a file on disk
 * @param iv 16 random bytes, never used twice with one key
 * @throws {RangeError} a defect of the caller: the version's key pair is not in `keys`, or the IV is not 16 bytes
 */
export const encrypt = (
  plaintext: Buffer,
  { version, keys, iv }: { version: WritableKeyVersion; keys: RawKeys; iv: Buffer },
): string => {
  const [cipherKey, macKey] = schemes[version].labels.map((label) => keys.get(label));
  if (cipherKey === undefined || macKey === undefined) throw new RangeError(`no key pair of version ${version}`);
  if (iv.length !== 16) throw new RangeError("the IV must be 16 bytes");
  const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
  const sealed = Buffer.concat([iv, cipher.update(plaintext), cipher.final()]);
  const mac = createHmac("sha384", macKey).update(sealed).digest();
  return `00${version}${Buffer.concat([mac, sealed]).toString("base64")}`;
};

/** A 32-byte key from its base64 form; white space around it is tolerated, as OpenEMR does. */
export const decodeKey = (base64: string): Buffer | undefined => {
  const key = decodeBase64(base64);
  return key?.length === 32 ? key : undefined;
};

const shortestPayload = (version: KeyVersion): number => (schemes[version].hmac?.bytes ?? 0) + 16 + 16;

/** Base64 as PHP's strict decoder takes it: white space skipped, padding optional, everything else refused. */
const decodeBase64 = (text: string): Buffer | undefined => {
  const compact = text.replace(/[ \t\r\n]+/g, "");
  const body = compact.replace(/=+$/, "");
  const padding = compact.length - body.length;
  if (!/^[A-Za-z0-9+/]*$/.test(body) || body.length % 4 === 1) return undefined;
  if (padding > 0 && (padding > 2 || compact.length % 4 !== 0)) return undefined;
  return Buffer.from(body, "base64");
};
