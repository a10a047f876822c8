import { SourceUnreadableError } from "@openemr-ops/core/errors";
import { openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import { secureUser } from "@openemr-ops/openemr/secureSqlconf";
import { surveySites } from "@openemr-ops/openemr/sitesLayout";
import type { Place } from "./program.ts";
import { realSites } from "./realPlaces.ts";

/** A database user that OpenEMR itself logs in with. */
export interface OpenEmrUser {
  readonly site: string;
  readonly user: string;
}

/** The users of every site's `sqlconf.php`, and of its `secure_sqlconf.php`. Throws as `openEmrUsersIn`. */
export const openEmrUsers = async ({ config, installation }: Place): Promise<readonly OpenEmrUser[]> =>
  openEmrUsersIn(await realSites(config, installation));

/**
 * The same of a sites directory.
 *
 * @throws {SourceUnreadableError} fatal: there may be sites that this program may not look into
 * @throws {SqlconfError} fatal
 */
export const openEmrUsersIn = async (path: string): Promise<readonly OpenEmrUser[]> => {
  const { sites, closed } = await surveySites(path);
  const [unknown] = closed;
  if (unknown !== undefined)
    throw new SourceUnreadableError(
      `${unknown} in the sites directory cannot be looked into, so that nobody knows which database user it names; allow this program's user to read it`,
    );
  const found: OpenEmrUser[] = [];
  for (const site of sites) {
    const { access } = await openEmrAccess(path, site);
    found.push({ site, user: access.user });
    const second = await secureUser(path, site);
    if (second !== undefined) found.push({ site, user: second });
  }
  return found;
};
