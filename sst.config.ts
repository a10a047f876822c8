import type { SSTConfig } from "sst";
import { deployStacks } from "./stacks/deploy.ts";

export default {
  config: () => ({ name: "openemr-ops" }),
  async stacks(app) {
    await deployStacks(app);
  },
} satisfies SSTConfig;
