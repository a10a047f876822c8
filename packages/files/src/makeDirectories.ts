import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => systemCodeOf(error) !== "ENOENT",
  );

/**
 * Makes a directory with those above it, one after the other, and fails as `mkdir` does. Node's own `recursive` never ends
 * where a file system answers that a new name is absent, as `/proc` does, and no signal stops it. Safe to repeat.
 *
 * @param path absolute
 * @returns the directories that it made, the topmost first
 */
export const makeDirectories = async (path: string, mode = 0o700): Promise<readonly string[]> => {
  const absent: string[] = [];
  for (let place = path; !(await isThere(place)); place = dirname(place)) absent.unshift(place);
  const made: string[] = [];
  for (const place of absent) {
    try {
      await mkdir(place, { mode });
      made.push(place);
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw error; // made by another run meanwhile
    }
  }
  return made;
};
