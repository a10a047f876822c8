import { readBounded } from "../boundedFile.ts";
import { fileProblem } from "./fileProblem.ts";

/** More than any file that a configuration names; a dump given by mistake is not read into memory. Bytes. */
const largest = 1024 * 1024;

export type SmallFile =
  | { readonly content: Buffer; readonly readableByOthers: boolean; readonly writableByOthers: boolean }
  | {
      /** Why it cannot be read, in words that follow its name and do not repeat it. */
      readonly problem: string;
    };

/** Why a file that holds a secret cannot serve although it can be read; `undefined` when it can. */
export const secretFileProblem = ({ writableByOthers }: { readonly writableByOthers: boolean }): string | undefined =>
  writableByOthers
    ? "can be changed by its group or by others, who could put a secret of theirs there; chmod 600 it"
    : undefined;

/** Reads a small regular file, following links. Never waits for a pipe and never throws for what the file is. */
export const readSmallFile = async (path: string): Promise<SmallFile> => {
  try {
    const file = await readBounded(path, largest);
    if (file.kind === "special")
      return { problem: file.directory ? "is a directory; expected a file" : "is not a regular file" };
    if (!file.whole) return { problem: "is larger than 1 MiB; it cannot be what is meant" };
    const { content, mode } = file;
    return { content, readableByOthers: (mode & 0o044) !== 0, writableByOthers: (mode & 0o022) !== 0 };
  } catch (error) {
    return { problem: fileProblem(error) };
  }
};
