import { execFileSync } from "node:child_process";
import { createCipheriv, hash, randomBytes, scryptSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What tests use for a repository, and never find in what the program writes. */
export const aRepositoryPassword = "canary-repository-77c1";

/**
 * A new repository with this password, which takes no time: restic makes it, and here its master key is put under the password with the
 * smallest work factor. Else restic works half a second on the password at each of its starts, and longer for a new
 * repository, which was half of what the tests took. Everything else is restic's own.
 */
export interface QuickRepository {
  /** Contents by path, Base64. */
  readonly files: Readonly<Record<string, string>>;
}

/** Source of the format: restic's design document, "Keys, Encryption and MAC". */
const encrypted = (key: { encrypt: Buffer; macK: Buffer; macR: Buffer }, content: Buffer): Buffer => {
  const nonce = randomBytes(16);
  const ciphertext = createCipheriv("aes-256-ctr", key.encrypt, nonce).update(content);
  return Buffer.concat([nonce, ciphertext, poly1305Aes(key.macK, key.macR, nonce, ciphertext)]);
};

const littleEndian = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

const poly1305Aes = (k: Buffer, r: Buffer, nonce: Buffer, message: Buffer): Buffer => {
  const pad = createCipheriv("aes-128-ecb", k, null).setAutoPadding(false).update(nonce);
  const clamped = littleEndian(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = Buffer.concat([message.subarray(at, at + 16), Buffer.of(1)]);
    sum = ((sum + littleEndian(block)) * clamped) % (2n ** 130n - 5n);
  }
  const tag = (sum + littleEndian(pad)) % 2n ** 128n;
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
};

/** @param restic path of the program that makes it */
export const makeQuickRepository = (restic: string): QuickRepository => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-quick-"));
  try {
    const run = (...args: readonly string[]) =>
      execFileSync(restic, ["--no-cache", "--quiet", ...args], {
        env: { RESTIC_REPOSITORY: directory, RESTIC_PASSWORD: aRepositoryPassword },
      });
    run("init");
    const master = run("cat", "masterkey");
    const work = { N: 2, r: 1, p: 1 };
    const salt = randomBytes(64);
    const derived = scryptSync(aRepositoryPassword, salt, 64, work);
    const [encrypt, macK, macR] = [derived.subarray(0, 32), derived.subarray(32, 48), derived.subarray(48)];
    const data = encrypted({ encrypt, macK, macR }, master);
    const created = "2026-01-01T00:00:00Z";
    const key = JSON.stringify({
      ...{ created, username: "root", hostname: "host", kdf: "scrypt", ...work },
      ...{ salt: salt.toString("base64"), data: data.toString("base64") },
    });
    const config = readFileSync(join(directory, "config")).toString("base64");
    return { files: { config, [`keys/${hash("sha256", key)}`]: Buffer.from(key).toString("base64") } };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Puts it into a directory, unless there is one of that name. */
export const putQuickRepository = (directory: string, { files }: QuickRepository): void => {
  if (existsSync(directory)) return;
  for (const name of ["data", "index", "keys", "locks", "snapshots"])
    mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
  for (const [path, content] of Object.entries(files))
    writeFileSync(join(directory, path), Buffer.from(content, "base64"), { mode: 0o400 });
};
