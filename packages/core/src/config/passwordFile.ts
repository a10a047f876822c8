import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { fileProblem } from "./fileProblem.ts";
import { passwordProblem } from "./passwordText.ts";

/** Longer files hold something else than a password. Bytes. */
const longest = 4096;

/** What a password file holds, or why it cannot serve, in words that name neither the file nor its content. */
export type PasswordFile =
  | { readonly password: string; readonly readableByOthers: boolean }
  | { readonly problem: string };

/** Reads a one-line password file (UTF-8). One line break at the end and a byte order mark are not part of the password. Never throws for what the file is. */
export const readPasswordFile = async (path: string): Promise<PasswordFile> => {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe would block the open
    const status = await file.stat();
    if (!status.isFile()) return { problem: "is not a regular file" };
    if (status.size > longest)
      return { problem: `holds more than ${longest} bytes; expected one line with the password` };
    const content = await file.readFile();
    if (!isUtf8(content)) return { problem: "is not UTF-8 text" };
    const password = new TextDecoder().decode(content).replace(/\r?\n$/, "");
    const problem = passwordProblem(password);
    return problem ? { problem } : { password, readableByOthers: (status.mode & 0o044) !== 0 };
  } catch (error) {
    return { problem: fileProblem(error) };
  }
};
