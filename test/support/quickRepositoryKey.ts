import { createCipheriv, createHash, randomBytes, scryptSync } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";
import { UnexpectedError } from "@openemr-ops/core/errors";
import { readAll } from "./bytes.ts";

interface KeyFile {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly data: string;
}

const derive = (password: string, { N, r, p, salt }: Pick<KeyFile, "N" | "r" | "p" | "salt">) => {
  const bytes = scryptSync(password, Buffer.from(salt, "base64"), 64, { N, r, p, maxmem: 256 * N * r + (1 << 20) });
  return { encryption: bytes.subarray(0, 32), macKey: bytes.subarray(32, 48), macR: bytes.subarray(48, 64) };
};

const littleEndian = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

/** Poly1305 with a one-time pad from AES, as in Bernstein's first paper and in restic. */
const poly1305Aes = (message: Buffer, nonce: Buffer, key: Buffer, rBytes: Buffer): Buffer => {
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const pad = littleEndian(cipher.update(nonce));
  const r = littleEndian(rBytes) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let start = 0; start < message.length; start += 16) {
    const block = Buffer.concat([message.subarray(start, start + 16), Buffer.from([1])]);
    sum = ((sum + littleEndian(block)) * r) % ((1n << 130n) - 5n);
  }
  const tag = (sum + pad) % (1n << 128n);
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
};

const counterMode = (key: Buffer, nonce: Buffer, bytes: Buffer): Buffer =>
  createCipheriv("aes-256-ctr", key, nonce).update(bytes);

/**
 * Puts a key that opens in a millisecond in the place of a repository's own, which costs every run of restic half a
 * second by design. Same password, same master key, same form: tests with hundreds of runs become possible.
 */
export const quickenRepositoryKey = async (destination: Destination, password: string): Promise<void> => {
  const keys: string[] = [];
  for await (const { key } of destination.list("keys/")) keys.push(key);
  const [key] = keys;
  const stored = key === undefined ? undefined : await destination.get(key);
  if (key === undefined || keys.length > 1 || !stored)
    throw new UnexpectedError("expected a repository with exactly one key");
  const file = JSON.parse((await readAll(stored)).toString()) as KeyFile;
  const sealed = Buffer.from(file.data, "base64");
  const master = counterMode(derive(password, file).encryption, sealed.subarray(0, 16), sealed.subarray(16, -16));

  const cheap = { N: 1024, r: 8, p: 1, salt: randomBytes(64).toString("base64") };
  const derived = derive(password, cheap);
  const nonce = randomBytes(16);
  const ciphertext = counterMode(derived.encryption, nonce, master);
  const mac = poly1305Aes(ciphertext, nonce, derived.macKey, derived.macR);
  const data = Buffer.concat([nonce, ciphertext, mac]).toString("base64");
  const bytes = Buffer.from(JSON.stringify({ ...file, ...cheap, data }));
  await destination.put(`keys/${createHash("sha256").update(bytes).digest("hex")}`, bytes);
  await destination.delete(key);
};
