import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { requireSection } from "@openemr-ops/core/config/select";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connectReadOnly } from "@openemr-ops/database/connection";
import { openEmrAccess } from "@openemr-ops/database/openEmrAccess";
import { newestDumps } from "@openemr-ops/dumps/steps/newestDumps";
import {
  checkHealth,
  type HealthPlan,
  type HealthResult,
  type Probe,
  planHealth,
  probeDatabase,
  probeDumps,
  probeSpace,
  probeVersion,
  type WrittenLogin,
} from "@openemr-ops/health/checkHealth";
import { probeHttp } from "@openemr-ops/health/probeHttp";
import { isAbsent } from "@openemr-ops/openemr/siteFiles";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import { readCodeVersion } from "@openemr-ops/openemr/version";
import { databaseAccess } from "../openContext.ts";
import { openDestination } from "../openDestination.ts";
import { openSecrets } from "../openSecrets.ts";
import { ownCredentials } from "../ownCredentials.ts";
import type { Place, Program } from "../program.ts";

/** The file system of a directory; `undefined` when it is not here. */
const spaceOf = async (path: string) => {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
};

/** OpenEMR's own logins, one for each site; where its files cannot be read, the one that takes dumps. */
const loginsOf = async ({ installation, environment }: Place): Promise<readonly WrittenLogin[]> => {
  const { database, sites } = installation;
  const loginWith = (access: DatabaseAccess) => ({ host: access.host, connect: () => connectReadOnly(access) });
  if (!(await spaceOf(sites.path))) {
    const access = databaseAccess(database, database.name, database, openSecrets(environment));
    const login = { ...loginWith(access), configured: true, showsCertificate: false };
    return [{ of: "user of the configuration", read: async () => login }];
  }
  const names = await listSites(sites.path);
  return names.map((site) => ({
    of: `site ${site}`,
    read: async () => {
      const { access, ...rest } = await openEmrAccess(sites.path, site);
      return { ...rest, ...loginWith(access) };
    },
  }));
};

const probesOf = (place: Place): readonly Probe[] => {
  const { installation, environment, now } = place;
  const { database, dumps, health, platform, sites } = {
    ...installation,
    ...requireSection(place.config, installation, "health"),
  };
  const logins = () => loginsOf(place);
  const code = (platform.kind === "host" && platform.codePath) || dirname(sites.path);
  const own = `sqlconf.php below ${sites.path}, or else ${database.name} on ${database.host}:${database.port}`;
  return [
    { name: "openemr", at: health.url, look: (signal) => probeHttp(health, { signal, now }) },
    probeDatabase(own, logins),
    probeVersion(own, logins, () => readCodeVersion(code)),
    probeSpace(sites.path, () => spaceOf(sites.path)),
    ...(dumps
      ? probeDumps(
          formatDestination(dumps.destination),
          async () => {
            const credentials = ownCredentials(dumps, openSecrets(environment));
            const destination = await openDestination(dumps.destination, { environment, credentials });
            return newestDumps(destination, installation.id, now());
          },
          now,
        )
      : []),
  ];
};

export const health: Program<"health", HealthPlan, HealthResult> = {
  plan: async (place) => {
    const result = planHealth(probesOf(place));
    return { result, report: { figures: { checks: result.checks.length }, result: {} } };
  },
  run: async (place) => {
    const result = await checkHealth(place.installation.id, probesOf(place), place.signal);
    return { result, report: { figures: result.figures, result: result.result } };
  },
};
