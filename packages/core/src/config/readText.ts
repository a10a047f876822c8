import { isUtf8 } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import { InvalidInputError } from "../errors.ts";
import { fileProblem } from "./fileProblem.ts";

/** More than any configuration needs; a dump given by mistake is not read into memory. Bytes. */
const largest = 1024 * 1024;

const refuse = (path: string, problem: string): never => {
  throw new InvalidInputError([{ path: "", message: `${path} ${problem}` }]);
};

/**
 * A small UTF-8 file's text, without a byte order mark.
 *
 * @throws {InvalidInputError} fatal: the file is absent, unreadable, not text or too large
 */
export const readText = async (path: string): Promise<string> => {
  const content = await readSmallFile(path).catch((error: unknown) =>
    error instanceof InvalidInputError ? Promise.reject(error) : refuse(path, fileProblem(error)),
  );
  return isUtf8(content) ? new TextDecoder().decode(content) : refuse(path, "is not UTF-8 text");
};

const readSmallFile = async (path: string): Promise<Buffer> => {
  const status = await stat(path);
  if (status.isDirectory()) refuse(path, "is a directory; expected a file");
  if (status.size > largest) refuse(path, "is larger than 1 MiB; expected a configuration");
  return readFile(path);
};
