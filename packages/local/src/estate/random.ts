import { createCipheriv, createHash } from "node:crypto";

/** Reproducible chance: the same seed gives the same sequence on every machine. Not for secrets that guard anything. */
export interface Random {
  /** A whole number from 0 to `below` - 1; `below` at most 2^32. */
  int(below: number): number;
  /** A number from 0 up to but not including 1, in steps of 2^-32. */
  next(): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  bytes(length: number): Buffer;
  /** A sequence of its own. Taking more from it changes nothing elsewhere, so data keep their values when a table is added. */
  fork(name: string): Random;
}

const smallestBlock = 256;
const largestBlock = 65_536;

/** The keystream of AES-128-CTR under a key made from the seed: uniform, and as fast as the machine's AES. */
export const seededRandom = (seed: string): Random => {
  const digest = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-128-ctr", digest.subarray(0, 16), digest.subarray(16));
  let block = Buffer.alloc(0);
  let position = 0;
  const word = (): number => {
    if (position + 4 > block.length) {
      const size = Math.min(largestBlock, Math.max(smallestBlock, block.length * 2));
      block = cipher.update(Buffer.alloc(size));
      position = 0;
    }
    position += 4;
    return block.readUInt32LE(position - 4);
  };
  const next = (): number => word() / 2 ** 32;
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    next,
    chance: (probability) => next() < probability,
    pick: <Item>(items: readonly Item[]): Item => {
      if (items.length === 0) throw new RangeError("nothing to pick from");
      return items[int(items.length)] as Item;
    },
    bytes: (length) => cipher.update(Buffer.alloc(length)),
    fork: (name) => seededRandom(`${digest.toString("hex")}/${name}`),
  };
};
