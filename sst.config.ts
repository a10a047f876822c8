import type { SSTConfig } from "sst";
import { appName } from "./stacks/appName.ts";
import { deployStacks } from "./stacks/deploy.ts";

export default {
  config: () => ({ name: appName }),
  async stacks(app) {
    await deployStacks(app);
  },
} satisfies SSTConfig;
