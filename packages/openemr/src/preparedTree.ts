import { lchown, lstat, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Owner } from "./replaceSqlconf.ts";
import { isInTheWay, isRefused } from "./siteFiles.ts";
import { requiredDirectories, swarmFiles } from "./sitesLayout.ts";
import { walkTree } from "./walkTree.ts";

/** Makes what OpenEMR expects and no dump carries. New directories belong to whom `documents` belongs, or to the owner given. */
export const makeDirectories = async (
  sitesPath: string,
  sites: readonly string[],
  owner: Owner | undefined,
): Promise<{ made: number; warnings: readonly string[] }> => {
  let made = 0;
  const warnings: string[] = [];
  for (const site of sites) {
    for (const directory of requiredDirectories) {
      try {
        const first = await mkdir(join(sitesPath, site, directory), { recursive: true, mode: 0o700 });
        if (first === undefined) continue;
        made++;
        const heir = owner ?? (await stat(dirname(first)));
        for (let path = join(sitesPath, site, directory); path.startsWith(first); path = dirname(path)) {
          await lchown(path, heir.uid, heir.gid).catch(ignoreRefusal);
        }
      } catch (error) {
        if (!isInTheWay(error)) throw error;
        warnings.push(`${site}/${directory} is not a directory but has to be one: remove what is there and make it`);
      }
    }
  }
  return { made, warnings };
};

const ignoreRefusal = (error: unknown): void => {
  if (!isRefused(error)) throw error;
};

/** Gives everything to the owner. What already is the owner's keeps its group. Links themselves, not what they point to. */
export const changeOwners = async (
  root: string,
  { uid, gid }: Owner,
): Promise<{ changed: number; refused: number }> => {
  const result = { changed: 0, refused: 0 };
  const own = async (path: string | Buffer) => {
    if ((await lstat(path)).uid === uid) return;
    try {
      await lchown(path, uid, gid);
      result.changed++;
    } catch (error) {
      ignoreRefusal(error);
      result.refused++;
    }
  };
  await own(root);
  let group: Promise<void>[] = [];
  for await (const { absolute } of walkTree(root)) {
    group.push(own(absolute));
    if (group.length < 48) continue;
    await Promise.all(group);
    group = [];
  }
  await Promise.all(group);
  return result;
};

/** With `docker-completed` all containers serve at once and none sets up; without any marker the first one to start upgrades. */
export const setMarkers = async (sitesPath: string, completed: boolean, owner: Owner | undefined): Promise<void> => {
  for (const name of swarmFiles) {
    const path = join(sitesPath, name);
    if (name !== "docker-completed" || !completed) {
      await rm(path, { force: true });
      continue;
    }
    await writeFile(path, "", { mode: 0o644 });
    if (owner) await lchown(path, owner.uid, owner.gid).catch(ignoreRefusal); // its existence is all that counts
  }
};
