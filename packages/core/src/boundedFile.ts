import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";

/** The result of reading a file that others may have put there. */
export type BoundedFile =
  /** The file's first bytes. `whole`: there are no more. `mode`: its permission bits. */
  | { readonly kind: "file"; readonly content: Buffer; readonly whole: boolean; readonly mode: number }
  /** A directory, pipe, socket or device: it is not opened, for that could wait for ever or set something off. */
  | { readonly kind: "special"; readonly directory: boolean };

const blockBytes = 64 * 1024;

/** Grows with what is really read: a sparse file's size says nothing, and a file may grow meanwhile. */
const readAtMost = async (file: FileHandle, limit: number): Promise<Buffer> => {
  const blocks: Buffer[] = [];
  for (let left = limit; left > 0; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(blockBytes, left)), 0);
    if (bytesRead === 0) break;
    blocks.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(blocks);
};

/**
 * Reads a regular file as far as the limit, following links. Never waits for a pipe, and holds no more memory than twice the limit.
 *
 * @param limit bytes
 * @throws the file system's own error: absent, refused
 */
export const readBounded = async (path: string, limit: number): Promise<BoundedFile> => {
  const special = (status: { isDirectory(): boolean }) =>
    ({ kind: "special", directory: status.isDirectory() }) as const;
  const before = await stat(path);
  if (!before.isFile()) return special(before);
  // Exchanged since: a pipe opens at once, and what was opened is looked at again.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  const status = await file.stat();
  if (!status.isFile()) return special(status);
  const content = await readAtMost(file, limit + 1);
  const whole = content.length <= limit;
  return { kind: "file", content: content.subarray(0, limit), whole, mode: status.mode & 0o7777 };
};
