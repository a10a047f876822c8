import { accountStacks, findBootstrap, profileUsed } from "@openemr-ops/aws/bootstrap/bootstrapStack";
import { refuseLeftOverTable } from "@openemr-ops/aws/bootstrap/leftOverTable";
import { namesOf } from "@openemr-ops/core/names";
import type { SSTConfig } from "sst";
import { appName } from "./stacks/appName.ts";
import { deployStacks } from "./stacks/deploy.ts";
import { deploymentRegion } from "./stacks/region.ts";

type Options = Parameters<SSTConfig["config"]>[0];

const placeOf = ({ region, profile, role }: Options) => ({
  region: deploymentRegion(region, process.env),
  profile: profileUsed(profile, process.env),
  role,
});
/** As `config` got them, for `stacks`. */
let place: ReturnType<typeof placeOf>;

export default {
  config: async (options) => {
    place = placeOf(options);
    const stackName = await findBootstrap(accountStacks(place), place);
    return { name: appName, region: place.region, bootstrap: { stackName } };
  },
  async stacks(app) {
    const { stage, mode } = app;
    const stack = `${stage}-${appName}-ControlPlaneStack`;
    if (mode === "deploy")
      await refuseLeftOverTable({ stack, table: namesOf(stage).jobsTable, stage }, accountStacks(place), place);
    await deployStacks(app);
  },
} satisfies SSTConfig;
