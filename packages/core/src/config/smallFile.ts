import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { fileProblem } from "./fileProblem.ts";

/** More than any file that a configuration names; a dump given by mistake is not read into memory. Bytes. */
const largest = 1024 * 1024;

export type SmallFile =
  | { readonly content: Buffer; readonly readableByOthers: boolean }
  | {
      /** Why it cannot be read, in words that follow its name and do not repeat it. */
      readonly problem: string;
    };

/** Reads a small regular file, following links. Never waits for a pipe and never throws for what the file is. */
export const readSmallFile = async (path: string): Promise<SmallFile> => {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe would block the open
    const status = await file.stat();
    if (status.isDirectory()) return { problem: "is a directory; expected a file" };
    if (!status.isFile()) return { problem: "is not a regular file" };
    if (status.size > largest) return { problem: "is larger than 1 MiB; it cannot be what is meant" };
    return { content: await file.readFile(), readableByOthers: (status.mode & 0o044) !== 0 };
  } catch (error) {
    return { problem: fileProblem(error) };
  }
};
