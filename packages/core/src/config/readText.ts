import { isUtf8 } from "node:buffer";
import { InvalidInputError } from "../errors.ts";
import { readSmallFile } from "./smallFile.ts";

/**
 * A small UTF-8 file's text, without a byte order mark.
 *
 * @throws {InvalidInputError} fatal: the file is absent, unreadable, not text or too large
 */
export const readText = async (path: string): Promise<string> => {
  const file = await readSmallFile(path);
  const problem = "problem" in file ? file.problem : isUtf8(file.content) ? undefined : "is not UTF-8 text";
  if ("problem" in file || problem) throw new InvalidInputError([{ path: "", message: `${path} ${problem}` }]);
  return new TextDecoder().decode(file.content);
};
