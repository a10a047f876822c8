import { access } from "node:fs/promises";
import { DatabaseAccessDeniedError, DatabaseUnavailableError, InvalidInputError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connect } from "@openemr-ops/database/connection";
import { tlsFailureOf } from "@openemr-ops/database/errors";
import { openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import { serverKind } from "@openemr-ops/database/users/account";
import type { ServerKind } from "@openemr-ops/database/users/neededRights";
import type { ForbiddenUser } from "@openemr-ops/database/users/prepareUsers";
import { realPlace } from "@openemr-ops/files/directory";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import { openEmrUsersIn } from "../openEmrUsers.ts";
import type { SetUpRequest } from "./request.ts";

/** An OpenEMR that runs here, as far as a configuration names it. */
export interface FoundOpenEmr {
  readonly sitesPath: string;
  readonly sites: readonly string[];
  readonly database: Pick<DatabaseAccess, "host" | "port" | "name" | "tls" | "caFile">;
  readonly server: ServerKind;
  /** Users that OpenEMR logs in with: never ours. */
  readonly forbidden: readonly ForbiddenUser[];
  /** What deserves a look, in words. */
  readonly warnings: readonly string[];
}

/** Where packages and guides put OpenEMR. */
const usualPlaces = [
  "/var/www/openemr/sites",
  "/var/www/html/openemr/sites",
  "/var/www/localhost/htdocs/openemr/sites",
  "/srv/openemr/sites",
];

const sitesIn = async (path: string): Promise<readonly string[]> => listSites(path).catch(() => []);

/** The sites directory in one of the usual places. */
export const findSites = async (): Promise<string | undefined> => {
  for (const place of usualPlaces) if ((await sitesIn(place)).length > 0) return place;
  return undefined;
};

/** Where Debian's and Ubuntu's servers listen for whoever is on the same machine. */
export const serverSocket = async (): Promise<string | undefined> => {
  const path = "/run/mysqld/mysqld.sock";
  return access(path).then(
    () => path,
    () => undefined,
  );
};

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

const assertSites = (path: string, sites: readonly string[]): void => {
  if (sites.length === 0)
    refuse(
      "sites",
      `no directory in ${path} has a sqlconf.php; expected OpenEMR's sites directory, with default/ in it`,
    );
};

/** The error of a login, with the field that corrects it. */
const atHost = (cause: unknown): unknown => {
  for (const Kind of [DatabaseAccessDeniedError, DatabaseUnavailableError])
    if (cause instanceof Kind) return new Kind(cause.message, { field: "host", cause });
  return cause;
};

/**
 * Logs in as OpenEMR does, and finds out what the server is. A certificate is checked only where the authorities to trust were
 * named; a server is asked without TLS only where it offers none and nobody demands it.
 *
 * @throws the `Database…Error` family, with the field `host`
 */
const lookAtServer = async (
  login: DatabaseAccess,
  request: SetUpRequest,
  signal: AbortSignal,
): Promise<Pick<FoundOpenEmr, "server"> & Pick<DatabaseAccess, "tls">> => {
  const { caFile } = request;
  const tls = request.tls ?? (caFile === undefined ? "required" : "verify");
  try {
    await using connection = await connect({ ...login, tls, caFile, signal });
    return { tls, server: await serverKind(connection) };
  } catch (error) {
    signal.throwIfAborted();
    if (request.tls || caFile !== undefined || tlsFailureOf(error) !== "not offered") throw atHost(error);
    return lookAtServer(login, { ...request, tls: "off" }, signal);
  }
};

const otherSchemas = async (path: string, sites: readonly string[], schema: string): Promise<readonly string[]> => {
  const found = await Promise.all(
    sites.map(async (site) => ({ site, schema: (await openEmrAccess(path, site)).access.name })),
  );
  return found
    .filter((one) => one.schema !== schema)
    .map(({ site }) => `site ${site} has another schema; add an installation for it to the configuration`);
};

/**
 * Finds out what a configuration needs to know of OpenEMR: reads every `sqlconf.php` without running it, and logs in to the
 * database once as OpenEMR does. Changes nothing.
 *
 * @throws {InvalidInputError} fatal: no sites directory, or one without a site that is set up
 * @throws {SourceUnreadableError} fatal
 * @throws {SqlconfError} fatal
 * @throws the `Database…Error` family: OpenEMR's own login does not work from here
 */
export const findOpenEmr = async (request: SetUpRequest, signal: AbortSignal): Promise<FoundOpenEmr> => {
  const place = request.sites ?? (await findSites());
  if (place === undefined)
    return refuse("sites", `is missing, and OpenEMR is in none of ${usualPlaces.join(", ")}; name its sites directory`);
  const sitesPath = await realPlace(place);
  const sites = await listSites(sitesPath);
  assertSites(sitesPath, sites);
  const site = sites.includes("default") ? "default" : (sites[0] ?? "");
  const { access: own, configured } = await openEmrAccess(sitesPath, site);
  if (!configured)
    refuse("sites", `OpenEMR is not set up: ${site}/sqlconf.php says $config = 0; finish OpenEMR's setup`);
  const login = { ...own, host: request.host ?? own.host, port: request.port ?? own.port };
  const { tls, server } = await lookAtServer(login, request, signal);
  const { host, port, name } = login;
  const { caFile } = request;
  const users = await openEmrUsersIn(sitesPath);
  return {
    sitesPath,
    sites,
    database: { host, port, name, tls, ...(caFile === undefined ? {} : { caFile }) },
    server,
    forbidden: users.map((one) => ({ user: one.user, whose: `the one that OpenEMR logs in with (site ${one.site})` })),
    warnings: await otherSchemas(sitesPath, sites, name),
  };
};
