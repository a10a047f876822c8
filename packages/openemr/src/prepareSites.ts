import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SqlconfError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import { changeOwners, leadsTo, makeDirectories, setMarkers } from "./preparedTree.ts";
import { type Owner, replaceSqlconf } from "./replaceSqlconf.ts";
import { isAbsent, isRefused, readIfPresent } from "./siteFiles.ts";
import { listSites } from "./sitesLayout.ts";
import { parseSqlconf, rewriteSqlconf, type Sqlconf } from "./sqlconf.ts";

export type Platform = "ecs" | "compose" | "kubernetes" | "host";

export interface PreparedSites {
  /** Sites whose `sqlconf.php` now names the target and says that the site is set up. */
  readonly rewritten: readonly string[];
  readonly directoriesMade: number;
  readonly ownersChanged: number;
  /** Everything belongs to the owner that the target needs; false where it needs none. */
  readonly ownersSet: boolean;
  /** What a person has to look at before OpenEMR starts. */
  readonly warnings: readonly string[];
}

/** User and group of the web server in OpenEMR's container images. */
const containerOwner = { uid: 1000, gid: 101 } as const;

/**
 * Makes a restored tree ready for where it is to run, in a place that nobody else reaches. Links that lead out of the tree are kept
 * and never followed: what lies behind them is neither read, written nor given away. `sqlconf.php` comes first: a container that
 * finds `$config` 0 beside a full database empties it. The marker that lets containers serve comes last. Repeating it is safe.
 *
 * @param options.calledPath what the tree will be called when it is in place, for messages
 * @param options.connection what OpenEMR shall connect with at the target; without it the dump's values stay
 * @param options.database the source's schema: sites that name it are rewritten, others are other installations' concern;
 *   without it, the schema that site `default` names
 * @param options.ownSites sites known to be of that schema, however they write its name
 * @param options.upgrade the target's code is newer: one container is to start first, and must find no marker
 * @param options.owner who shall own the tree on a host; without it owners stay. Containers have theirs
 * @throws {SqlconfError} fatal: a `sqlconf.php` cannot be rewritten, or no site names the schema
 * @throws {TargetUnsuitableError} refused: this program may not set the owner of `sqlconf.php`
 */
export const prepareSites = async ({
  sitesPath,
  calledPath = sitesPath,
  platform,
  connection,
  database,
  ownSites = [],
  upgrade,
  owner = platform === "host" ? undefined : containerOwner,
}: {
  sitesPath: string;
  calledPath?: string;
  platform: Platform;
  connection?: Omit<Sqlconf, "configured"> | undefined;
  database?: string | undefined;
  ownSites?: readonly string[];
  upgrade: boolean;
  owner?: Owner | undefined;
}): Promise<PreparedSites> => {
  const { sites, warnings: outside } = await sitesInside(sitesPath);
  const { chosen, warnings } = await chooseSites(sitesPath, calledPath, sites, { database, ownSites, connection });
  warnings.unshift(...outside);
  for (const site of chosen) {
    await rewrite(sitesPath, site, { ...connection, configured: true }, { mode: modeOf(platform), owner });
    if (connection && (await isPresent(join(sitesPath, site, "documents", "certificates", "mysql-ca")))) {
      warnings.push(
        `site ${site} carries documents/certificates/mysql-ca, so OpenEMR demands TLS from the database and checks it against that CA: put the target's CA there, or remove the file if the target has no TLS`,
      );
    }
  }
  const directories = await makeDirectories(sitesPath, sites, owner);
  const owners = owner ? await changeOwners(sitesPath, owner) : { changed: 0, refused: 0 };
  if (owners.refused > 0 && owner) {
    warnings.push(
      `${owners.refused} files or directories belong to another user, and this program may not change that: as root, type chown -R ${owner.uid}:${owner.gid} ${calledPath}`,
    );
  }
  if (platform === "ecs") warnings.push(...(await openDirectories(sitesPath, calledPath, ["", ...chosen])));
  await setMarkers(sitesPath, platform !== "host" && !upgrade, owner);
  return {
    rewritten: chosen,
    directoriesMade: directories.made,
    ownersChanged: owners.changed,
    ownersSet: owner !== undefined && owners.refused === 0,
    warnings: [...warnings, ...directories.warnings],
  };
};

/** On EFS other tasks read the file too, so everybody may; elsewhere only its owner, as OpenEMR's own start does it. */
const modeOf = (platform: Platform): number => (platform === "ecs" ? 0o644 : 0o400);

const openDirectories = async (
  sitesPath: string,
  calledPath: string,
  names: readonly string[],
): Promise<readonly string[]> => {
  const warnings: string[] = [];
  for (const name of names) {
    await chmod(join(sitesPath, name), 0o755).catch((error: unknown) => {
      if (!isRefused(error)) throw error;
      const called = join(calledPath, name);
      warnings.push(`this program may not set the mode of ${called}: as its owner, type chmod 755 ${called}`);
    });
  }
  return warnings;
};

/** Sites whose directory and `sqlconf.php` are really in the tree; a link to a site of another installation is none. */
const sitesInside = async (sitesPath: string): Promise<{ sites: readonly string[]; warnings: readonly string[] }> => {
  const sites: string[] = [];
  const warnings: string[] = [];
  for (const site of await listSites(sitesPath)) {
    if ((await leadsTo(sitesPath, join(sitesPath, site, "sqlconf.php"))) === "inside") sites.push(site);
    else
      warnings.push(
        `${site}/sqlconf.php leads out of the sites directory: it was kept and not followed; put the file itself there before OpenEMR starts`,
      );
  }
  return { sites, warnings };
};

/**
 * Those that name the installation's schema, or, after an earlier run of the same restore, already the target's. One that computes
 * its values stays as it is, unless it is the main one and has to be rewritten.
 */
const chooseSites = async (
  sitesPath: string,
  calledPath: string,
  sites: readonly string[],
  {
    database,
    ownSites,
    connection,
  }: {
    database: string | undefined;
    ownSites: readonly string[];
    connection: { readonly dbase: string } | undefined;
  },
): Promise<{ chosen: readonly string[]; warnings: string[] }> => {
  const schemas = new Map<string, string>();
  const marked: string[] = [];
  const warnings: string[] = [];
  for (const site of sites) {
    const content = await readSqlconf(sitesPath, site);
    try {
      schemas.set(site, parseSqlconf(content).dbase);
    } catch (error) {
      if (!(error instanceof SqlconfError)) throw error;
      const isMain = site === "default" || sites.length === 1;
      if (isMain && connection) throw new SqlconfError(`${site}/sqlconf.php: ${error.message}`, { cause: error });
      const markable = isMain && canBeMarked(content);
      if (markable) marked.push(site);
      warnings.push(
        `${site}/sqlconf.php keeps its connection values (${error.message}); make sure that they fit${markable ? "" : " and that it says $config = 1"} before OpenEMR starts`,
      );
    }
  }
  const wanted = new Set([database ?? schemas.get("default") ?? [...schemas.values()][0], connection?.dbase]);
  const chosen = sites.filter(
    (site) =>
      marked.includes(site) || (schemas.has(site) && (ownSites.includes(site) || wanted.has(schemas.get(site)))),
  );
  if (chosen.length === 0 && connection) {
    throw new SqlconfError(`no sqlconf.php below ${calledPath} names the database ${database ?? ""}`.trimEnd());
  }
  return { chosen, warnings };
};

const canBeMarked = (content: Buffer): boolean => {
  try {
    rewriteSqlconf(content, { configured: true });
    return true;
  } catch (error) {
    if (error instanceof SqlconfError) return false;
    throw error;
  }
};

const readSqlconf = async (sitesPath: string, site: string): Promise<Buffer> =>
  (await readIfPresent(join(sitesPath, site, "sqlconf.php"), `${site}/sqlconf.php`)) ?? Buffer.alloc(0);

const rewrite = async (
  sitesPath: string,
  site: string,
  changes: Partial<Sqlconf>,
  access: { mode: number; owner: Owner | undefined },
): Promise<void> => {
  const before = await stat(join(sitesPath, site, "sqlconf.php"));
  const content = rewriteSqlconf(await readSqlconf(sitesPath, site), changes);
  // A file that already is the owner's keeps its group: images differ in theirs.
  const owner = access.owner && access.owner.uid !== before.uid ? access.owner : { uid: before.uid, gid: before.gid };
  try {
    const documents = join(sitesPath, site, "documents");
    const where = await leadsTo(sitesPath, documents);
    if (where === "absent") await mkdir(documents, { mode: 0o700 });
    await replaceSqlconf(join(sitesPath, site), content, { mode: access.mode, owner }, where !== "outside");
  } catch (error) {
    if (!isRefused(error)) throw error;
    throw new TargetUnsuitableError(
      `this program may not write ${site}/sqlconf.php for user ${owner.uid}: run it as root or as that user`,
      { cause: error },
    );
  }
};

const isPresent = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
};
