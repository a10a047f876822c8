import { accountStacks, findBootstrap, profileUsed } from "@openemr-ops/aws/bootstrap/bootstrapStack";
import { refuseLeftOverTable } from "@openemr-ops/aws/bootstrap/leftOverTable";
import { namesOf } from "@openemr-ops/core/names";
import type { SSTConfig } from "sst";
import { useProject } from "sst/project.js";
import { appName } from "./stacks/appName.ts";
import { deployStacks } from "./stacks/deploy.ts";
import { deploymentRegion } from "./stacks/region.ts";

// SST loads this file twice, once for each of the two: they share no variable.
export default {
  config: async ({ region: asked, profile, role }) => {
    const region = deploymentRegion(asked, process.env);
    const place = { region, profile: profileUsed(profile, process.env), role };
    return { name: appName, region, bootstrap: { stackName: await findBootstrap(accountStacks(place), place) } };
  },
  async stacks(app) {
    const { stage, mode, region } = app;
    const { profile, role } = useProject().config;
    const place = { region, profile, role };
    const stack = `${stage}-${appName}-ControlPlaneStack`;
    if (mode === "deploy")
      await refuseLeftOverTable({ stack, table: namesOf(stage).jobsTable, stage }, accountStacks(place), place);
    await deployStacks(app);
  },
} satisfies SSTConfig;
