import { resolve } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import type { App } from "sst/constructs";
import { addStacks } from "./app.ts";
import { deploymentOf } from "./deployment.ts";

/**
 * The entry point of `sst build` and `sst deploy`. `OPENEMR_OPS_CONFIG` names the configuration (default:
 * `openemr-ops.config.json`), `OPENEMR_OPS_IMAGE` an image that is already pushed.
 *
 * @throws {InvalidInputError} fatal: the configuration cannot be deployed; names each field
 */
export const deployStacks = async (app: App): Promise<void> => {
  const { OPENEMR_OPS_CONFIG: path, OPENEMR_OPS_IMAGE: imageUri } = process.env;
  const root = process.cwd(); // SST changes to the directory of sst.config.ts first
  process.env.AWS_REGION = app.region; // discovery looks where the stacks go, also when --region names the region
  const config = await loadConfig(resolve(root, path ?? "openemr-ops.config.json"));
  const deployment = deploymentOf(config, app.stage, { region: app.region, account: app.account });
  for (const note of deployment.notes) process.stderr.write(`${note}\n`);
  addStacks(app, { deployment, root, ...(imageUri ? { imageUri } : {}), now: new Date() });
};
