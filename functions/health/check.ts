import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import * as field from "@openemr-ops/core/config/fields";
import { parseJson } from "@openemr-ops/core/config/jsonText";
import { parseStrictly, strict } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { newestDumps } from "@openemr-ops/dumps/steps/newestDumps";
import { type TaskReport, workRequest } from "@openemr-ops/events/workflowSteps";
import { checkHealth, outOfReach, type Probe, planHealth, probeDumps } from "@openemr-ops/health/checkHealth";
import { probeHttp } from "@openemr-ops/health/probeHttp";
import { openDeployedDestination, readDeployedDestination } from "../shared/deployedDestination.ts";
import { type Environment, readVariable } from "../shared/environment.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const settings = strict({
  health: strict({ url: field.httpUrl, bodyIncludes: field.pageText.optional(), tls: field.pageTls }),
});

const readSettings = (environment: Environment) => {
  const parsed = parseStrictly(settings, {
    health: parseJson(readVariable(environment, "OPENEMR_OPS_HEALTH")),
  });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};

const { health } = readSettings(process.env);
const installation = readVariable(process.env, "OPENEMR_OPS_INSTALLATION");
const { OPENEMR_OPS_DESTINATION: dumps } = process.env; // only where the installation has dumps
const store = dumps ? readDeployedDestination(dumps, process.env) : undefined;
const now = () => new Date();

/** It runs outside the VPC, without a password and without the file system; see `docs/health.md`. */
const inTheVpc =
  "this function does not reach the database and the files; run the command health on a machine that does";

const probes: readonly Probe[] = [
  { name: "openemr", at: health.url, look: (signal) => probeHttp(health, { signal, now }) },
  ...["database", "version", "free-space"].map((name) => outOfReach(name, inTheVpc)),
  ...(store
    ? probeDumps(
        formatDestination(store.destination),
        async () => newestDumps(await openDeployedDestination(store), installation, now()),
        now,
      )
    : []),
];

/** Checks the health of one installation. */
export const handler = taskHandler(workRequest, async ({ job }): Promise<TaskReport> => {
  if (job.dryRun) return { figures: { checks: planHealth(probes).checks.length }, result: { url: health.url } };
  const { figures, result } = await checkHealth(installation, probes, new AbortController().signal);
  return { figures, result };
});
