import { constants, type Dirent } from "node:fs";
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent } from "./siteFiles.ts";
import { isExcluded, surveySites } from "./sitesLayout.ts";
import { walkTree } from "./walkTree.ts";

/**
 * Entries beside the sites that this user cannot read to the end: `lost+found`, what somebody left there. They belong to no
 * site, so a dump is whole without them; it says so. An entry that cannot be looked into may be a site, and counts here too.
 */
export const unreadableBesideSites = async (sitesPath: string): Promise<readonly string[]> => {
  const { sites, closed } = await surveySites(sitesPath);
  const found = new Set(closed);
  for (const entry of await readdir(sitesPath, { withFileTypes: true })) {
    if (sites.includes(entry.name) || found.has(entry.name) || isExcluded(entry.name)) continue;
    if (!(await isReadable(sitesPath, entry))) found.add(entry.name);
  }
  return [...found].sort();
};

const isReadable = async (parent: string, entry: Dirent): Promise<boolean> => {
  const path = join(parent, entry.name);
  if (!entry.isDirectory()) return !entry.isFile() || (await mayRead(path, constants.R_OK));
  if (!(await mayRead(path, constants.R_OK | constants.X_OK))) return false;
  for await (const { absolute, entry: below } of walkTree(path)) {
    if (below.isDirectory() && !(await mayRead(absolute, constants.R_OK | constants.X_OK))) return false;
    if (below.isFile() && !(await mayRead(absolute, constants.R_OK))) return false;
  }
  return true;
};

/** What disappeared meanwhile is no obstacle. */
const mayRead = (path: string | Buffer, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    (error: unknown) => isAbsent(error),
  );
