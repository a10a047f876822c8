import type { HealthSettings } from "@openemr-ops/core/config/settings";
import { partitions } from "@openemr-ops/core/partitions";
import type { Stack } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { DeployedInstallation } from "./deployment.ts";
import type { TaskResourcesContext } from "./InstallationStack.ts";
import { opsFunction } from "./opsFunction.ts";
import { deployService } from "./policies/deployService.ts";
import { jobItems } from "./policies/jobItems.ts";
import { publishProgress } from "./policies/publishEvents.ts";
import { useKey } from "./policies/useKey.ts";
import { secondsBetweenLooks } from "./workflows/redeployment.ts";

export interface RedeployFunctions {
  readonly start: IFunction;
  readonly follow: IFunction;
  /** Looks whether OpenEMR works; only where the installation says where it answers. */
  readonly look?: IFunction;
}

/** The functions that deploy OpenEMR's service anew, follow the deployment, and look whether OpenEMR works then. */
export const redeployFunctions = (
  stack: Stack,
  { id, cluster, service, rotations }: DeployedInstallation,
  health: HealthSettings | undefined,
  { deployment, plane }: Pick<TaskResourcesContext, "deployment" | "plane">,
): RedeployFunctions => {
  const { removable, stage } = deployment;
  const { key, table, bus } = plane;
  const common = { key, removable, timeoutSeconds: 60 };
  const environment = { OPENEMR_OPS_STAGE: stage, OPENEMR_OPS_INSTALLATION: id };
  const ofEcs = {
    ...environment,
    OPENEMR_OPS_CLUSTER: cluster,
    OPENEMR_OPS_SERVICE: service,
    OPENEMR_OPS_WAIT_SECONDS: String(secondsBetweenLooks),
  };
  const underWay = [
    jobItems(table, [partitions.records(id)], ["GetItem"]),
    jobItems(table, [partitions.steps(id), partitions.locks(id)], ["GetItem", "UpdateItem"]),
    useKey(stack, key, "dynamodb"),
    publishProgress(bus.eventBusArn, id),
  ];
  const { url, bodyIncludes, tls } = health ?? {};
  return {
    start: opsFunction(stack, "StartDeployment", {
      ...common,
      handler: "functions/rotation/startDeployment.handler",
      description: `Deploys OpenEMR of ${id} anew, as it is`,
      grants: [deployService(stack, { cluster, service }, ["DescribeServices", "UpdateService"]), ...underWay],
      environment: ofEcs,
    }),
    follow: opsFunction(stack, "FollowDeployment", {
      ...common,
      handler: "functions/rotation/followDeployment.handler",
      description: `Looks how far a deployment of OpenEMR of ${id} is`,
      grants: [deployService(stack, { cluster, service }, ["DescribeServices"]), ...underWay],
      environment: {
        ...ofEcs,
        ...(rotations?.limitSeconds === undefined ? {} : { OPENEMR_OPS_LIMIT_SECONDS: String(rotations.limitSeconds) }),
      },
    }),
    ...(health
      ? {
          look: opsFunction(stack, "Redeployed", {
            ...common,
            handler: "functions/health/check.handler",
            description: `Looks whether OpenEMR of ${id} works after it was deployed anew`,
            grants: [],
            environment: { ...environment, OPENEMR_OPS_HEALTH: JSON.stringify({ url, bodyIncludes, tls }) },
          }),
        }
      : {}),
  };
};
