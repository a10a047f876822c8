import { DatabaseAccessDeniedError, RotationRefusedError, SqlconfError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { type OpenEmrAccess, openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import { type LoggedIn, logIn } from "@openemr-ops/database/users/account";
import { secureUser } from "@openemr-ops/openemr/secureSqlconf";
import { surveySites } from "@openemr-ops/openemr/sitesLayout";
import type { DatabaseRotation } from "./databaseRotation.ts";

/** A site of the installation, with what its `sqlconf.php` names. */
export interface FoundSite {
  readonly site: string;
  readonly access: DatabaseAccess;
  readonly password: string;
  /** Absent where the server refuses what `sqlconf.php` names. */
  readonly login?: LoggedIn;
}

export interface FoundSites {
  /** Those that name the installation's user, the main one last: whoever replaces their users knows the old one until then. */
  readonly sites: readonly FoundSite[];
  /** Sites with a user or a server of their own. */
  readonly others: readonly string[];
  /** Sites with a second user, of `secure_sqlconf.php`. */
  readonly second: readonly string[];
}

const readSite = async (sitesPath: string, site: string): Promise<OpenEmrAccess> => {
  try {
    return await openEmrAccess(sitesPath, site);
  } catch (error) {
    if (!(error instanceof SqlconfError)) throw error;
    throw new SqlconfError(`${site}/sqlconf.php: ${error.message}; nothing was changed`, { cause: error });
  }
};

/**
 * Whether a site has a second user beside the one that is rotated.
 *
 * @throws {RotationRefusedError} refused: it is one that is rotated, and its password there would not follow
 */
const hasSecondUser = async (
  sitesPath: string,
  { site, access }: FoundSite,
  users: ReadonlySet<string>,
): Promise<boolean> => {
  const second = await secureUser(sitesPath, site);
  if (second !== undefined && (second === access.user || users.has(second)))
    throw new RotationRefusedError(
      `site ${site} logs in as ${second} by secure_sqlconf.php too, which would keep the former password; nothing was changed. Name another user there, or remove the file if this release of OpenEMR only warns of it in its log`,
    );
  return second !== undefined;
};

/** Which server a site's address leads to, as the administrator finds it there. */
const serverAt = async ({ host, port, tls }: DatabaseAccess, { administrator }: DatabaseRotation) => {
  const found = await logIn({ ...administrator, host, port, socket: undefined, tls }, await administrator.password());
  return found instanceof DatabaseAccessDeniedError ? undefined : found.server;
};

const lookAt = async (site: string, { access, showsCertificate }: OpenEmrAccess): Promise<FoundSite> => {
  const password = await access.password();
  const login = await logIn(access, password);
  if (!(login instanceof DatabaseAccessDeniedError)) return { site, access, password, login };
  if (showsCertificate)
    throw new RotationRefusedError(
      `site ${site} logs in with a certificate of its own (documents/certificates/mysql-cert), with which this program cannot log in; nothing was changed. Let the user log in without one, such as ALTER USER … REQUIRE SSL`,
    );
  return { site, access, password };
};

/**
 * The sites whose user is rotated: those that are set up and name a user of the slots, or the user of the main site, on the
 * administrator's server. The main site is `default`, or the first one. Reads only.
 *
 * @param slotUsers names of the users of both slots, as far as they are known
 * @throws {RotationRefusedError} refused: there is no site, one cannot be looked into, or the main one is on another server
 * @throws {SqlconfError} fatal: a `sqlconf.php` or `secure_sqlconf.php` cannot be read without running it
 * @throws the `Database…Error` family
 */
export const findSites = async (r: DatabaseRotation, slotUsers: readonly string[]): Promise<FoundSites> => {
  const { sitesPath, administrator } = r;
  const { sites: names, closed } = await surveySites(sitesPath);
  const [hidden] = closed;
  if (hidden !== undefined)
    throw new RotationRefusedError(
      `this program may not look into ${hidden}, which may be a site that names the user; nothing was changed. Run it as root, or as the owner of the sites directory`,
    );
  const read: { readonly site: string; readonly found: OpenEmrAccess }[] = [];
  for (const site of names) read.push({ site, found: await readSite(sitesPath, site) });
  const installed = read.filter(({ found }) => found.configured);
  const main = installed.find(({ site }) => site === "default") ?? installed[0];
  if (!main)
    throw new RotationRefusedError(
      `no site below ${sitesPath} has a sqlconf.php of an OpenEMR that is set up; nothing was changed. Set sites.path to the directory that holds default/sqlconf.php`,
    );

  const users = new Set([main.found.access.user, ...slotUsers]);
  const own = await logIn({ ...administrator }, await administrator.password());
  if (own instanceof DatabaseAccessDeniedError) throw own;
  const sites: FoundSite[] = [];
  const others: string[] = [];
  for (const { site, found } of [...installed.filter((one) => one !== main), main]) {
    const looked = users.has(found.access.user) ? await lookAt(site, found) : undefined;
    const server = looked && (looked.login?.server ?? (await serverAt(looked.access, r)));
    if (looked && server === own.server) sites.push(looked);
    else if (site !== main.site) others.push(site);
    else
      throw new RotationRefusedError(
        `site ${site} is on ${found.access.host}:${found.access.port}, which is another database server than that of the administrator, ${administrator.host}:${administrator.port}; nothing was changed. Set database.host to the writer that OpenEMR uses`,
      );
  }
  const second: string[] = [];
  for (const site of sites) if (await hasSecondUser(sitesPath, site, users)) second.push(site.site);
  return { sites, others, second };
};
