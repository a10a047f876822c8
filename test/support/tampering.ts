import { cp, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** One object at a destination that is a directory; keys as the destination names them. */
export const objectKeys = async (directory: string): Promise<readonly string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
};

/** Turns one bit over. `at` counts from the end when negative, or is a share of the whole between 0 and 1. */
export const flip = async (directory: string, key: string, at: number, bit = 0): Promise<void> => {
  const bytes = await readFile(join(directory, key));
  const index = Number.isInteger(at) && at !== 1 ? at : Math.min(bytes.length - 1, Math.floor(bytes.length * at));
  const position = index < 0 ? bytes.length + index : index;
  bytes.writeUInt8(bytes.readUInt8(position) ^ (1 << bit), position);
  await writeFile(join(directory, key), bytes);
};

/** Cuts an object to a share of its length. */
export const cut = async (directory: string, key: string, share: number): Promise<void> => {
  const { length } = await readFile(join(directory, key));
  await truncate(join(directory, key), Math.min(length - 1, Math.floor(length * share)));
};

/** A copy to spoil. Modes and times as they were. */
export const copyOf = (directory: string, to: string): Promise<void> =>
  cp(directory, to, { recursive: true, preserveTimestamps: true });
