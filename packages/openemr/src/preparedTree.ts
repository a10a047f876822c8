import { lchown, lstat, mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Owner } from "./replaceSqlconf.ts";
import { isAbsent, isRefused } from "./siteFiles.ts";
import { requiredDirectories, swarmFiles } from "./sitesLayout.ts";
import { walkTree } from "./walkTree.ts";

/**
 * Where a path below a tree leads: `inside` the tree, also through links that stay in it; `outside`, or to nothing, through
 * one that does not; `absent`. Means something only while nobody else changes the tree.
 */
export const leadsTo = async (root: string, path: string): Promise<"inside" | "outside" | "absent"> => {
  try {
    const [realRoot, target] = [await realpath(root), await realpath(path)];
    return target === realRoot || target.startsWith(realRoot + sep) ? "inside" : "outside";
  } catch (error) {
    if (!isAbsent(error) && !isLoop(error)) throw error;
    return (await lstat(path).catch(() => undefined))?.isSymbolicLink() ? "outside" : "absent";
  }
};

const isLoop = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ELOOP";

/**
 * Makes what OpenEMR expects and no dump carries, name by name. New directories belong to whom the directory above
 * belongs, or to the owner given. Nothing is made behind a link that leads out of the tree.
 */
export const makeDirectories = async (
  sitesPath: string,
  sites: readonly string[],
  owner: Owner | undefined,
): Promise<{ made: number; warnings: readonly string[] }> => {
  let made = 0;
  const warnings = new Set<string>();
  const make = async (site: string, directory: string): Promise<boolean> => {
    let below = site;
    let fresh = false;
    for (const name of directory.split("/")) {
      const above = join(sitesPath, below);
      below = `${below}/${name}`;
      const path = join(sitesPath, below);
      const where = await leadsTo(sitesPath, path);
      if (where === "outside") {
        warnings.add(
          `${below} is a link that leads out of the sites directory: it was kept and not followed; put a directory in its place, or see to it that what OpenEMR needs is there`,
        );
        return fresh;
      }
      if (where === "absent") {
        await mkdir(path, { mode: 0o700 });
        const heir = owner ?? (await stat(above));
        await lchown(path, heir.uid, heir.gid).catch(ignoreRefusal);
        fresh = true;
      } else if (!(await stat(path)).isDirectory()) {
        warnings.add(`${below} is not a directory but has to be one: remove what is there and make it`);
        return fresh;
      }
    }
    return fresh;
  };
  for (const site of sites) for (const directory of requiredDirectories) if (await make(site, directory)) made++;
  return { made, warnings: [...warnings] };
};

const ignoreRefusal = (error: unknown): void => {
  if (!isRefused(error)) throw error;
};

/** Gives everything to the owner; nobody else may reach the tree meanwhile. What already is the owner's keeps its group. Links themselves, not what they point to. */
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
    await rm(path, { force: true, recursive: true }); // never written through: a dump can be forged to hold a link
    if (name !== "docker-completed" || !completed) continue;
    await writeFile(path, "", { mode: 0o644, flag: "wx" });
    if (owner) await lchown(path, owner.uid, owner.gid).catch(ignoreRefusal); // its existence is all that counts
  }
};
