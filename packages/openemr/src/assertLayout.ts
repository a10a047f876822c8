import { readdir, readlink, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { SourceLayoutError } from "@openemr-ops/core/errors";
import type { BytePath } from "@openemr-ops/files/bytePath";
import { isAbsent, unreadable } from "./siteFiles.ts";
import { isExcluded, listSites } from "./sitesLayout.ts";
import { walkTree } from "./walkTree.ts";

const keyDirectories = ["documents/logs_and_misc/methods", "documents/certificates"];

/** Below a site; a dump without them would restore to something that only looks whole. */
const mustBeInside = [
  "",
  "sqlconf.php",
  "documents",
  "documents/logs_and_misc",
  "documents/logs_and_misc/methods",
  "documents/certificates",
];

/**
 * Makes sure that a copy of the sites tree is a copy of everything that matters: links are stored as links, so what
 * lies behind one that leads outside would silently be absent. Links inside the tree are fine. Walks the whole tree, no files are opened.
 *
 * @param options.leftOut names in the sites directory that the dump leaves out
 * @returns warnings about other links outside
 * @throws {SourceLayoutError} refused: there is no site, or a site, its documents, keys or certificates lie outside
 * @throws {SourceUnreadableError} fatal: a directory cannot be read
 */
export const assertLayout = async (
  sitesPath: string,
  { leftOut = [] }: { readonly leftOut?: readonly string[] } = {},
): Promise<readonly string[]> => {
  const sites = await listSites(sitesPath);
  if (sites.length === 0) {
    throw new SourceLayoutError(
      `no site in ${sitesPath}: expected directories with a sqlconf.php, such as default; point sites.path at OpenEMR's sites directory`,
    );
  }
  const root = await realpath(sitesPath);
  for (const site of sites) {
    for (const part of mustBeInside) await assertInside(root, join(site, part));
    for (const part of keyDirectories)
      for (const name of await linksIn(join(root, site, part))) await assertInside(root, join(site, part, name));
  }
  const outside = await countLinksOutside(root, leftOut);
  return outside === 0
    ? []
    : [
        `${outside} link(s) below ${sitesPath} lead to directories or files outside: the dump holds the links, not what lies behind; list them with find ${sitesPath} -type l -printf '%p -> %l\\n'`,
      ];
};

/**
 * How many files no copy of the tree can be without: each site's `sqlconf.php`, keys and certificates. A copy with fewer
 * is a copy of something else.
 */
export const countEssentials = async (sitesPath: string): Promise<number> => {
  const files = new Set<string>();
  for (const site of await listSites(sitesPath)) {
    files.add(await realpath(join(sitesPath, site, "sqlconf.php")));
    for (const directory of keyDirectories) {
      const path = await realpath(join(sitesPath, site, directory)).catch(() => undefined);
      const entries = path === undefined ? [] : await readdir(path, { withFileTypes: true, encoding: "latin1" });
      for (const entry of entries) if (entry.isFile()) files.add(`${path}/${entry.name}`);
    }
  }
  return files.size;
};

const assertInside = async (root: string, path: string): Promise<void> => {
  const target = await targetOf(join(root, path), path);
  if (target !== undefined && !isWithin(root, target)) {
    throw new SourceLayoutError(
      `${path} leads outside the sites directory, so no dump of the tree would hold it: move it into the tree, mount it there, or point sites.path at the real tree`,
    );
  }
};

const isWithin = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

/** Where a path really lies; `undefined` when nothing is there. A link to nothing counts as where it points. */
const targetOf = async (path: string, what: string): Promise<string | undefined> => {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isAbsent(error)) throw unreadable(what, error);
    return readlink(path).catch(() => undefined);
  }
};

/** A key or certificate that is a link outside is one that the dump lacks. */
const linksIn = async (directory: string): Promise<readonly string[]> => {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw unreadable("a directory of keys or certificates", error);
  });
  return entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
};

const countLinksOutside = async (root: string, leftOut: readonly string[]): Promise<number> => {
  let count = 0;
  const passOver = (path: string) => isExcluded(path) || leftOut.includes(Buffer.from(path, "latin1").toString());
  for await (const { absolute, entry } of walkTree(root, passOver))
    if (entry.isSymbolicLink() && (await leadsOutside(root, absolute))) count++;
  return count;
};

const leadsOutside = async (root: string, path: BytePath): Promise<boolean> => {
  try {
    return !isWithin(root, await realpath(path));
  } catch {
    return false; // leads nowhere: nothing is lost by keeping just the link
  }
};
