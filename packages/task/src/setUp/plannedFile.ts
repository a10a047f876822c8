import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { readBounded } from "@openemr-ops/core/boundedFile";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import { shellWord } from "@openemr-ops/core/shell";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { nearestExisting, openOrMake, realPlace } from "@openemr-ops/files/directory";
import { createFile, replaceFile } from "@openemr-ops/files/stateFiles";

/** A file that setting up a machine writes. */
export interface PlannedFile {
  readonly path: string;
  readonly mode: number;
  /** Made when it is written: a password has no text before. */
  readonly text: () => string;
  readonly secret?: true;
  /** Set: a file with this text in it is our own of an earlier version, and is replaced. Not set: what is there stays. */
  readonly mark?: string;
}

/** What is done with a file. `keep`: it is there, and stays; `same`: it is there, and as it should be. */
export type FileAction = "create" | "replace" | "keep" | "same";

export interface DecidedFile extends PlannedFile {
  readonly action: FileAction;
}

/** More than any file that is written here. Bytes. */
const largest = 1024 * 1024;

const textAt = async (path: string): Promise<string | undefined> => {
  try {
    const file = await readBounded(path, largest);
    return file.kind === "file" ? file.content.toString() : "";
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
};

/** Decides what happens with a file; changes nothing. */
export const decideFile = async (file: PlannedFile): Promise<DecidedFile> => {
  const present = await textAt(file.path);
  if (present === undefined) return { ...file, action: "create" };
  if (file.secret || file.mark === undefined) return { ...file, action: "keep" };
  if (present === file.text()) return { ...file, action: "same" };
  return { ...file, action: present.includes(file.mark) ? "replace" : "keep" };
};

/** Carries a decision out. Safe to repeat: a file is there whole or not at all, and nothing that is kept is touched. */
export const writeDecided = async ({ path, mode, text, action }: DecidedFile): Promise<void> => {
  if (action === "keep" || action === "same") return;
  // A directory of the system, where others read; those of ours are made before, for this user alone.
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await (action === "create" ? createFile(path, text(), mode) : replaceFile(path, text(), mode));
};

/**
 * Why this user cannot keep files in a directory, before anything is written.
 *
 * @param field names the directory in errors
 */
const problemOf = async (field: string, path: string): Promise<InputIssue | undefined> => {
  try {
    const place = await nearestExisting(path);
    const { uid } = await stat(place);
    await access(place, constants.W_OK);
    const own = process.geteuid?.();
    if (place === path && own === 0 && uid !== own)
      return {
        path: field,
        message: `${path} belongs to user ${uid}; the jobs write there as root: chown root ${shellWord(path)}`,
      };
    return undefined;
  } catch (error) {
    return {
      path: field,
      message: `cannot write to ${path} (${systemCodeOf(error)}): name a directory that this user may write to, or use sudo`,
    };
  }
};

/** @throws {InvalidInputError} fatal: with an issue for each directory that cannot serve */
export const assertDirectories = async (directories: Readonly<Record<string, string>>): Promise<void> => {
  const found = await Promise.all(Object.entries(directories).map(([field, path]) => problemOf(field, path)));
  const issues = found.filter((issue) => issue !== undefined);
  if (issues.length > 0) throw new InvalidInputError(issues);
};

/** Makes a directory for this user alone, unless it is there. */
export const makeDirectory = async (path: string): Promise<void> => {
  await using _directory = await openOrMake(await realPlace(path));
};
