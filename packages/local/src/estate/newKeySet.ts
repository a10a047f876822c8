import { generateKeyPairSync } from "node:crypto";
import { encrypt, type KeyLabel, type KeySet, labelsOf, type WritableKeyVersion } from "@openemr-ops/openemr/crypto";

/** Keys of a made-up site in every form that a site keeps them in. */
export interface NewKeySet {
  /** File name below `documents/logs_and_misc/methods` → exact content. */
  readonly driveFiles: Readonly<Record<string, string>>;
  /** File name below `documents/certificates` → exact content; empty without OAuth. */
  readonly certificateFiles: Readonly<Record<string, string>>;
  /** Rows of table `keys`. */
  readonly keysRows: readonly { readonly name: string; readonly value: string }[];
  /** The same keys in clear, for sealing values and documents. */
  readonly keys: KeySet;
}

/**
 * Makes the keys of a synthetic site: for tests and for the embedded estate, never for an installation, whose keys only
 * OpenEMR may make. Reproducible from `random`, except for the two certificate files (the RSA pair).
 *
 * @param random gives that many random bytes
 * @param options.versions ascending; `[6, 7]` is a site upgraded from a release before 7.0.4
 */
export const newKeySet = (
  random: (bytes: number) => Buffer,
  { versions = [7], oauth = true }: { versions?: readonly WritableKeyVersion[]; oauth?: boolean } = {},
): NewKeySet => {
  const drive = new Map<KeyLabel, Buffer>();
  const database = new Map<KeyLabel, Buffer>();
  const driveFiles: Record<string, string> = {};
  const keysRows: { name: string; value: string }[] = [];
  for (const version of versions) {
    for (const label of labelsOf(version)) {
      const databaseKey = random(32);
      database.set(label, databaseKey);
      drive.set(label, random(32));
      keysRows.push({ name: label, value: databaseKey.toString("base64") });
    }
    for (const label of labelsOf(version)) {
      const driveKey = drive.get(label) ?? Buffer.alloc(0);
      driveFiles[label] = version === 4 ? driveKey.toString("base64") : seal(driveKey, version, database, random);
    }
  }

  const certificateFiles: Record<string, string> = {};
  const newest = versions.at(-1);
  if (oauth && newest !== undefined) {
    const passphrase = random(32).toString("base64");
    const pair = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    certificateFiles["oaprivate.key"] = pair.privateKey;
    certificateFiles["oapublic.key"] = pair.publicKey;
    keysRows.push({
      name: "oauth2key",
      value: seal(Buffer.from(random(32).toString("base64")), newest, drive, random),
    });
    keysRows.push({ name: "oauth2passphrase", value: seal(Buffer.from(passphrase), newest, drive, random) });
  }
  return { driveFiles, certificateFiles, keysRows, keys: { drive, database } };
};

const seal = (
  plaintext: Buffer,
  version: WritableKeyVersion,
  keys: ReadonlyMap<KeyLabel, Buffer>,
  random: (bytes: number) => Buffer,
): string => encrypt(plaintext, { version, keys, iv: random(16) });
