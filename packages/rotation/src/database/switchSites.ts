import { constants, access as mayAccess, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RotationRefusedError, SqlconfError, toOpsError } from "@openemr-ops/core/errors";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { leadsTo } from "@openemr-ops/openemr/preparedTree";
import { replaceSqlconf } from "@openemr-ops/openemr/replaceSqlconf";
import { readIfPresent } from "@openemr-ops/openemr/siteFiles";
import { parseSqlconf, rewriteSqlconf } from "@openemr-ops/openemr/sqlconf";

/** What a `sqlconf.php` shall name. */
export interface NewLogin {
  readonly username: string;
  readonly password: string;
}

const nameOf = (site: string): string => `${site}/sqlconf.php`;

const read = async (sitesPath: string, site: string): Promise<Buffer> => {
  const content = await readIfPresent(join(sitesPath, nameOf(site)), nameOf(site));
  if (!content) throw new SqlconfError(`${nameOf(site)} does not exist any more`);
  return content;
};

const rewritten = (content: Buffer, site: string, { username, password }: NewLogin): Buffer => {
  try {
    return rewriteSqlconf(content, { login: username, pass: password });
  } catch (error) {
    if (!(error instanceof SqlconfError)) throw error;
    throw new SqlconfError(`${nameOf(site)}: ${error.message}`, { cause: error });
  }
};

const names = (content: Buffer, { username, password }: NewLogin): boolean => {
  const { login, pass } = parseSqlconf(content);
  return login === username && pass === password;
};

/** The directory of the file itself: a link stays a link. */
const directoryOf = async (sitesPath: string, site: string): Promise<string> => {
  const path = await realpath(join(sitesPath, nameOf(site)));
  if (basename(path) === "sqlconf.php") return dirname(path);
  throw new RotationRefusedError(
    `${nameOf(site)} is a link to a file of another name, which other programs may read; put the file itself in its place`,
  );
};

/**
 * Makes sure, before anything is changed, that every `sqlconf.php` can be rewritten and replaced.
 *
 * @throws {RotationRefusedError} refused: the file system only reads, or belongs to somebody else
 * @throws {SqlconfError} fatal: a value cannot be replaced
 */
export const assertReplaceable = async (
  sitesPath: string,
  sites: readonly string[],
  login: NewLogin,
): Promise<void> => {
  for (const site of sites) {
    rewritten(await read(sitesPath, site), site, login);
    const directory = await directoryOf(sitesPath, site);
    const [{ uid }, file] = [await stat(directory), await stat(join(directory, "sqlconf.php"))];
    const us = process.getuid?.() ?? 0;
    const refuse = (why: string, cause?: unknown) => {
      throw new RotationRefusedError(
        `${nameOf(site)} cannot be replaced (${why}); nothing was changed. Mount the sites directory for writing, and run this program as root or as the owner of the file`,
        { cause },
      );
    };
    if (us !== 0 && us !== file.uid) refuse("it belongs to another user");
    await mayAccess(directory, constants.W_OK).catch((error: unknown) => {
      // Its owner may open the directory for the moment of the replacement.
      if (systemCodeOf(error) !== "EACCES" || us !== uid) refuse(systemCodeOf(error) ?? "unknown cause", error);
    });
  }
};

/**
 * Lets a site's `sqlconf.php` name another user: replaced in one step, with its owner and mode, and read again. A file that names
 * the user already is left.
 *
 * @throws {RotationRefusedError | SqlconfError}
 * @throws the system's failures under a name of ours
 */
export const switchSite = async (sitesPath: string, site: string, login: NewLogin): Promise<void> => {
  const before = await read(sitesPath, site);
  if (names(before, login)) return;
  const content = rewritten(before, site, login);
  const directory = await directoryOf(sitesPath, site);
  const { uid, gid, mode } = await stat(join(directory, "sqlconf.php"));
  const documents = await leadsTo(directory, join(directory, "documents"));
  try {
    await replaceSqlconf(directory, content, { mode: mode & 0o7777, owner: { uid, gid } }, documents === "inside");
  } catch (error) {
    throw toOpsError(error);
  }
  if (!names(await read(sitesPath, site), login))
    throw new SqlconfError(`${nameOf(site)} does not name the user ${login.username} after it was replaced`);
};
