import { resolve } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import type { App } from "sst/constructs";
import { addStacks } from "./app.ts";
import { deploymentOf } from "./deployment.ts";

/**
 * What `sst build` and `sst deploy` run. `OPENEMR_OPS_CONFIG` names the configuration (`openemr-ops.config.json` when not
 * set), `OPENEMR_OPS_IMAGE` an image that is pushed already.
 *
 * @throws {InvalidInputError} fatal: the configuration cannot be deployed; names each field
 */
export const deployStacks = async (app: App): Promise<void> => {
  const { OPENEMR_OPS_CONFIG: path, OPENEMR_OPS_IMAGE: imageUri } = process.env;
  const root = process.cwd(); // SST goes to the directory of sst.config.ts first
  const config = await loadConfig(resolve(root, path ?? "openemr-ops.config.json"));
  const deployment = deploymentOf(config, app.stage);
  for (const note of deployment.notes) process.stderr.write(`${note}\n`);
  addStacks(app, { deployment, root, ...(imageUri ? { imageUri } : {}), now: new Date() });
};
