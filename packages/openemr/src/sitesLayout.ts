import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SourceUnreadableError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { isAbsent, isRefused, unreadable } from "./siteFiles.ts";

/**
 * What no dump carries, as globs relative to the sites directory; `*` stands for one path segment, or part of one.
 * The first ones are caches and temporary files, whose directories stay, empty; the last is what an interrupted
 * rewrite of `sqlconf.php` may leave behind.
 */
export const excludedContents: readonly string[] = [
  "*/documents/smarty/gacl/*",
  "*/documents/smarty/main/*",
  "*/documents/mpdf/pdf_tmp/*",
  "*/documents/temp/*",
  "*/documents/logs_and_misc/_cache/*",
  "*/faxcache/*",
  "*/documents/.sqlconf-*.php",
];

/** How containers agree on who sets up: coordination of one moment, not data. Relative to the sites directory. */
export const swarmFiles: readonly string[] = ["docker-leader", "docker-initiated", "docker-completed"];

/** Left out of every dump, in the sites directory itself: swarm files, and what a restore in place sets aside. Globs. */
export const excludedFiles: readonly string[] = [...swarmFiles, ".openemr-ops-*"];

/** Directories below `sites/<site>` that OpenEMR's own upgrades make sure of. */
export const requiredDirectories: readonly string[] = [
  "documents/certificates",
  "documents/couchdb",
  "documents/custom_menus/patient_menus",
  "documents/edi",
  "documents/era",
  "documents/letter_templates",
  "documents/logs_and_misc/methods",
  "documents/mpdf/pdf_tmp",
  "documents/onsite_portal_documents/templates",
  "documents/procedure_results",
  "documents/smarty/gacl",
  "documents/smarty/main",
  "documents/temp",
];

const segmentPattern = (segment: string): string =>
  segment.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
const excluded = new RegExp(
  `^(?:${[...excludedContents, ...excludedFiles].map((glob) => glob.split("/").map(segmentPattern).join("/")).join("|")})(?:/|$)`,
  "s",
);

/** Whether a dump leaves this path out; anything below an excluded path is out too. Relative to the sites directory, `/` separates. */
export const isExcluded = (relativePath: string): boolean => excluded.test(relativePath);

/** What lies in the sites directory, as far as this user may look. */
export interface SitesSurvey {
  /** Names of the directories that hold a `sqlconf.php`, sorted; links to such directories count. */
  readonly sites: readonly string[];
  /** Entries that this user may not look into, so that nobody knows what they are. Not in `sites`. */
  readonly closed: readonly string[];
}

/** @throws {SourceUnreadableError} fatal: the sites directory is absent or cannot be read */
export const surveySites = async (sitesPath: string): Promise<SitesSurvey> => {
  const entries = await readdir(sitesPath, { withFileTypes: true }).catch((error: unknown) => {
    if (!isAbsent(error)) throw unreadable(`the sites directory ${sitesPath}`, error);
    throw new SourceUnreadableError(
      `the sites directory ${sitesPath} is not there (${systemCodeOf(error)}): mount its disk, or set sites.path to the directory that OpenEMR uses`,
      { cause: error },
    );
  });
  const sites: string[] = [];
  const closed: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() && !entry.isSymbolicLink()) continue;
    const found = await lookFor(join(sitesPath, entry.name, "sqlconf.php"), `${entry.name}/sqlconf.php`);
    if (found === "there") sites.push(entry.name);
    if (found === "closed") closed.push(entry.name);
  }
  return { sites: sites.sort(), closed: closed.sort() };
};

/**
 * The sites of a tree.
 *
 * @throws {SourceUnreadableError} fatal: the sites directory is absent or cannot be read
 */
export const listSites = async (sitesPath: string): Promise<readonly string[]> => (await surveySites(sitesPath)).sites;

const lookFor = async (path: string, what: string): Promise<"there" | "absent" | "closed"> => {
  try {
    await stat(path);
    return "there";
  } catch (error) {
    if (isAbsent(error)) return "absent";
    if (isRefused(error)) return "closed";
    throw unreadable(what, error);
  }
};
