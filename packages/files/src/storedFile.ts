import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type BoundedFile, readBounded } from "@openemr-ops/core/boundedFile";
import { fileProblem } from "@openemr-ops/core/config/fileProblem";
import { secretFileProblem } from "@openemr-ops/core/config/smallFile";
import { InvalidInputError, SecretUnreadableError } from "@openemr-ops/core/errors";
import type { SecretVersion, StoredSecret } from "@openemr-ops/core/storedSecret";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { syncDirectory } from "./syncDirectory.ts";

/** Longer files hold something else than credentials. Bytes. */
const longest = 64 * 1024;

const idOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Why a file cannot serve, in words that follow its name. */
const problemOf = (file: BoundedFile): string | undefined => {
  if (file.kind === "special") return file.directory ? "is a directory; expected a file" : "is not a regular file";
  if (!file.whole) return `holds more than ${longest} bytes`;
  if (!isUtf8(file.content)) return "is not UTF-8 text";
  return secretFileProblem({ writableByOthers: (file.mode & 0o022) !== 0 });
};

/** Writes a file whole, mode 0600. Its draft has one name, so that a run that was stopped leaves no more than one. */
const replaceWhole = async (path: string, text: string): Promise<void> => {
  const draft = `${path}.draft`;
  await rm(draft, { force: true });
  {
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(draft, path);
  await syncDirectory(dirname(path));
};

/**
 * A secret in a file of mode 0600. The pending version is beside it as `<file>.pending`, and the version before as
 * `<file>.previous`, for people. Each is replaced whole and written out to the disk. A file that others may read is taken and
 * gives way to one that they may not; one that others may change is refused. An empty file is none.
 *
 * @throws {SecretUnreadableError} fatal, with the field: a file is not what a secret is
 * @throws {InvalidInputError} fatal, with the field: nothing can be written there
 */
export const storedFile = ({ path, field }: { readonly path: string; readonly field: string }): StoredSecret => {
  const pending = `${path}.pending`;

  const read = async (name: string, current: boolean): Promise<SecretVersion | undefined> => {
    const unreadable = (problem: string, options?: ErrorOptions) =>
      new SecretUnreadableError(`${field}: ${name} ${problem}`, options);
    const file = await readBounded(name, longest).catch((error: unknown) => {
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw unreadable(fileProblem(error), { cause: error });
    });
    if (!file) return undefined;
    const problem = problemOf(file);
    if (problem !== undefined || file.kind === "special") throw unreadable(problem ?? "");
    const text = new TextDecoder().decode(file.content);
    return text.trim() === "" ? undefined : { id: idOf(text), text, current };
  };

  const write = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === undefined) throw error;
      const message = `no secret can be kept in ${dirname(path)} (${code}): expected a directory that this user may write to, with free space`;
      throw new InvalidInputError([{ path: field, message }], { cause: error });
    }
  };

  return {
    field,
    versions: async () => {
      const now = await read(path, true);
      const next = await read(pending, false);
      return [...(now ? [now] : []), ...(next && next.id !== now?.id ? [next] : [])];
    },
    writePending: async (text) => {
      await write(() => replaceWhole(pending, text));
      return { id: idOf(text), text, current: false };
    },
    makeCurrent: async ({ id }) => {
      const now = await read(path, true);
      const next = await read(pending, false);
      if (now?.id === id) {
        if (next?.id === id) await write(() => rm(pending, { force: true })); // left by a run that was stopped
        return;
      }
      if (next?.id !== id)
        throw new SecretUnreadableError(`${field}: ${pending} is not the version that shall become the current one`);
      await write(async () => {
        if (now) await replaceWhole(`${path}.previous`, now.text);
        await rename(pending, path);
        await syncDirectory(dirname(path));
      });
    },
  };
};
