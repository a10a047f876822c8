import { randomBytes } from "node:crypto";
import { lstat, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { type Directory, type DirectoryIdentity, openDirectory } from "./directory.ts";
import { makeOwned, type OwnedDirectory, reopenOwned } from "./ownedDirectory.ts";
import { isDead, type ProcessIdentity, thisProcess } from "./processIdentity.ts";
import { readState, replaceFile, stateFiles } from "./stateFiles.ts";

/** What is known of a directory that a job made: noted before it is made, and again when its identity is known. */
interface Note {
  readonly path: string;
  readonly identity?: DirectoryIdentity | undefined;
  readonly process: ProcessIdentity;
}

/** Directories that jobs of one kind made on one installation, so that the next one can remove what a killed one left. */
export interface Journal {
  /** Makes a directory with a name that nobody can foresee. */
  make(parent: Directory): Promise<OwnedDirectory>;
  /** Deletes it and its note. */
  remove(directory: OwnedDirectory): Promise<void>;
  /**
   * Deletes what runs that are dead left behind: only what is, by every mark that was noted, the directory that they
   * made. Anything else stays, and a warning names it. The caller holds the lock under which such directories are made.
   */
  sweep(warn: (message: string) => void): Promise<void>;
}

const prefix = ".openemr-ops-staging-";
const ourName = /^\.openemr-ops-staging-[0-9a-f]{24}$/;

/** @param directory where the notes lie: below the state directory */
export const journalIn = (stateDirectory: string, ...folders: readonly string[]): Journal => {
  const directory = join(stateDirectory, "made", ...folders);
  const fileOf = (path: string) => join(directory, `${basename(path)}.json`);
  const note = (path: string, identity?: DirectoryIdentity) =>
    replaceFile(fileOf(path), `${JSON.stringify({ path, identity, process: thisProcess() } satisfies Note)}\n`);
  const forget = (path: string) => rm(fileOf(path), { force: true });

  const sweepOne = async (name: string): Promise<"gone" | "alive" | "unclear"> => {
    const note = await readState(join(directory, name));
    if (!note) return "gone";
    const { path, identity, process } = JSON.parse(note.toString()) as Note;
    if (!ourName.test(basename(path)) || fileOf(path) !== join(directory, name)) return "unclear";
    if (!(await isThere(path))) return forget(path).then(() => "gone");
    if (!isDead(process)) return process.host === thisProcess().host ? "alive" : "unclear";
    await using parent = await openDirectory(dirname(path));
    if (identity) {
      await using left = await reopenOwned(parent, basename(path), identity);
      await left?.remove();
    } else await rmdir(`${parent.at}/${basename(path)}`).catch(() => {}); // killed while it was made: it is empty
    if (await isThere(path)) return "unclear";
    await forget(path);
    return "gone";
  };

  return {
    make: async (parent) => {
      const name = `${prefix}${randomBytes(12).toString("hex")}`;
      const path = join(parent.path, name);
      await note(path);
      const made = await makeOwned(parent, name).catch(async (error: unknown) => {
        await forget(path);
        throw error;
      });
      await note(path, made.identity);
      return made;
    },
    remove: async (made) => {
      await made.remove();
      await forget(made.path);
    },
    sweep: async (warn) => {
      const names = await stateFiles(directory, new Date());
      if (names.length > 0 && !(await isOursAlone(stateDirectory, "made", ...folders)))
        return warn(
          `other users may write to ${stateDirectory}, so nothing is removed by what is noted there: chmod go-w`,
        );
      for (const name of names) {
        const outcome = await sweepOne(name).catch(() => "unclear" as const);
        if (outcome === "unclear")
          warn(
            `an interrupted run may have left ${name.replace(/\.json$/, "")} behind, and it is not certain to be that: see ${join(directory, name)}, look at the directory that it names and remove it`,
          );
      }
    },
  };
};

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => !["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? ""),
  );

/** Whoever may write here could have anything of ours deleted. */
const isOursAlone = async (path: string, ...below: readonly string[]): Promise<boolean> => {
  const { uid, mode } = await lstat(path);
  if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return false;
  const [next, ...rest] = below;
  return next === undefined || isOursAlone(join(path, next), ...rest);
};
