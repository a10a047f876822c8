import type { SSTConfig } from "sst";
import { appName } from "./stacks/appName.ts";
import { deployStacks } from "./stacks/deploy.ts";
import { deploymentRegion } from "./stacks/region.ts";

export default {
  config: ({ region }) => ({ name: appName, region: deploymentRegion(region, process.env) }),
  async stacks(app) {
    await deployStacks(app);
  },
} satisfies SSTConfig;
