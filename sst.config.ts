import { accountStacks, findBootstrap, profileUsed } from "@openemr-ops/aws/bootstrap/bootstrapStack";
import type { SSTConfig } from "sst";
import { appName } from "./stacks/appName.ts";
import { deployStacks } from "./stacks/deploy.ts";
import { deploymentRegion } from "./stacks/region.ts";

export default {
  config: async ({ region: asked, profile, role }) => {
    const region = deploymentRegion(asked, process.env);
    const place = { region, profile: profileUsed(profile, process.env), role };
    return { name: appName, region, bootstrap: { stackName: await findBootstrap(accountStacks(place), place) } };
  },
  async stacks(app) {
    await deployStacks(app);
  },
} satisfies SSTConfig;
