import { checkConnection } from "@openemr-ops/core/config/load";
import type { OpenEmrConnection } from "@openemr-ops/core/config/settings";
import { planRestore, type RestoreOptions, type RestorePlan, restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { statusOf, type Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { RestoreInput } from "@openemr-ops/events/inputs/restore";
import { openSecrets } from "../openSecrets.ts";
import type { Place, Program } from "../program.ts";
import { within } from "../within.ts";
import { dumpContext } from "./dumpContext.ts";
import { restorePlanReport, verdictReport } from "./verdictReport.ts";

export interface RestoreRequest extends Omit<RestoreInput, "connection"> {
  /** What the restored OpenEMR logs in with; not set, the installation's own. */
  readonly connection?: OpenEmrConnection;
}

/** The connection in the words of `sqlconf.php`. */
const optionsOf = async (
  { dump, intoDatabase, intoSites, inPlace, sites, platform, upgrade, connection }: RestoreRequest,
  { environment }: Place,
): Promise<RestoreOptions> => {
  const options = { dump, intoDatabase, intoSites, inPlace, sites, platform, upgrade };
  if (!connection) return options;
  const { host, port, user, password, name } = connection;
  const pass = await openSecrets(environment)(password);
  return { ...options, connection: { host, port, login: user, pass, dbase: name } };
};

export const restore: Program<"restore", RestorePlan, Verdict, RestoreRequest> = {
  prepare: async ({ connection, ...input }, surroundings) =>
    connection === undefined
      ? input
      : { ...input, connection: await within("connection", () => checkConnection(connection, surroundings)) },
  plan: async (place, request) => {
    const result = await planRestore(await dumpContext(place, request.copy), await optionsOf(request, place));
    return { result, report: restorePlanReport(result) };
  },
  run: async (place, request) => {
    const result = await restoreDump(await dumpContext(place, request.copy), await optionsOf(request, place));
    return { result, report: verdictReport(result), exitCode: statusOf(result) };
  },
};
