import { join } from "node:path";
import { SqlconfError } from "@openemr-ops/core/errors";
import { isPresent, readIfPresent } from "./siteFiles.ts";
import { surveySites } from "./sitesLayout.ts";
import { parseSqlconf, type Sqlconf } from "./sqlconf.ts";

/** How one site logs in. Holds the password: never log or store it. */
export interface SurveyedSite {
  readonly site: string;
  /** What its `sqlconf.php` says, or why that cannot be read without running it. */
  readonly sqlconf: Sqlconf | SqlconfError;
  /**
   * It has a `secure_sqlconf.php`: older releases then log in with a second database user for the tables of passwords.
   * Newer ones only write a warning.
   */
  readonly secureFile: boolean;
}

export interface SqlconfSurvey {
  /** Sorted by name. */
  readonly sites: readonly SurveyedSite[];
  /** Entries of the sites directory that this user may not look into: there may be sites. */
  readonly closed: readonly string[];
}

/**
 * Reads the `sqlconf.php` of every site; changes nothing. One that cannot be understood is an answer, which names its site.
 *
 * @throws {SourceUnreadableError} fatal: the sites directory is absent, or it or a file cannot be read
 */
export const surveySqlconfs = async (sitesPath: string): Promise<SqlconfSurvey> => {
  const { sites, closed } = await surveySites(sitesPath);
  const surveyed: SurveyedSite[] = [];
  for (const site of sites) {
    surveyed.push({
      site,
      sqlconf: await read(sitesPath, site),
      secureFile: await isPresent(join(sitesPath, site, "secure_sqlconf.php"), `${site}/secure_sqlconf.php`),
    });
  }
  return { sites: surveyed, closed };
};

const read = async (sitesPath: string, site: string): Promise<Sqlconf | SqlconfError> => {
  const name = `${site}/sqlconf.php`;
  const content = await readIfPresent(join(sitesPath, name), name);
  try {
    return parseSqlconf(content ?? Buffer.alloc(0));
  } catch (error) {
    if (!(error instanceof SqlconfError)) throw error;
    return new SqlconfError(`${name}: ${error.message}`, { cause: error });
  }
};
