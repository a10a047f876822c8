import { isUtf8 } from "node:buffer";
import { documentIn, passwordIn } from "./passwordText.ts";
import { readSmallFile, secretFileProblem } from "./smallFile.ts";

/** Longer files hold something else than a password. Bytes. */
const longest = 4096;
/** A service account's key is 2 KiB long. Bytes. */
const longestDocument = 64 * 1024;

/** What a password file holds, or why it cannot serve, in words that name neither the file nor its content. */
export type PasswordFile =
  | { readonly password: string; readonly readableByOthers: boolean }
  | { readonly problem: string };

/** Reads a one-line password file (UTF-8). One line break at the end and a byte order mark are not part of the password. Never throws for what the file is. */
export const readPasswordFile = async (path: string): Promise<PasswordFile> => {
  const file = await readSmallFile(path);
  if ("problem" in file) return file;
  const open = secretFileProblem(file);
  if (open) return { problem: open };
  if (file.content.length > longest) {
    return { problem: `holds more than ${longest} bytes; expected one line with the password` };
  }
  if (!isUtf8(file.content)) return { problem: "is not UTF-8 text" };
  const read = passwordIn(new TextDecoder().decode(file.content));
  return "problem" in read ? read : { ...read, readableByOthers: file.readableByOthers };
};

/** Reads a file with a secret of several lines (UTF-8), without a byte order mark. Never throws for what the file is. */
export const readDocumentFile = async (path: string): Promise<PasswordFile> => {
  const file = await readSmallFile(path);
  if ("problem" in file) return file;
  const open = secretFileProblem(file);
  if (open) return { problem: open };
  if (file.content.length > longestDocument) return { problem: `holds more than ${longestDocument} bytes` };
  if (!isUtf8(file.content)) return { problem: "is not UTF-8 text" };
  const read = documentIn(new TextDecoder().decode(file.content));
  return "problem" in read ? read : { ...read, readableByOthers: file.readableByOthers };
};
