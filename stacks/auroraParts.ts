import { partitions } from "@openemr-ops/core/partitions";
import { ArnFormat, type Stack } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { accept } from "./accepted/accept.ts";
import {
  answersWorkflow,
  asksRds,
  objectsForRds,
  objectsOfDumps,
  outsideVpc,
  ownRights,
  sharedConcurrency,
  unknownKey,
} from "./accepted/findings.ts";
import type { DeployedExports, DeployedInstallation } from "./deployment.ts";
import { halfOf } from "./exportTasks.ts";
import type { TaskResourcesContext } from "./InstallationStack.ts";
import { opsFunction } from "./opsFunction.ts";
import { exportCluster, writeAsRds } from "./policies/exportCluster.ts";
import { jobItems } from "./policies/jobItems.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openDumps } from "./policies/openDumps.ts";
import { publishProgress } from "./policies/publishEvents.ts";
import { readDumps } from "./policies/readDumps.ts";
import { useKey } from "./policies/useKey.ts";
import { writeDumps } from "./policies/writeDumps.ts";
import { storeEnvironment } from "./storeEnvironment.ts";

/** What engine `aurora` needs: the role that RDS writes with, and the function that asks RDS. */
export const auroraParts = (
  stack: Stack,
  { id }: DeployedInstallation,
  exports: DeployedExports,
  { deployment, plane }: Pick<TaskResourcesContext, "deployment" | "plane">,
  { cluster, exportKey }: { readonly cluster: string; readonly exportKey: IKey },
) => {
  const { removable, stage } = deployment;
  const { key, table, bus } = plane;
  const half = halfOf("database", exports);
  const role = new Role(stack, "RdsExportRole", {
    assumedBy: new ServicePrincipal("export.rds.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
    }),
  });
  for (const statement of onBucket(stack, half, writeAsRds)) role.addToPolicy(statement);
  const follow = opsFunction(stack, "FollowRds", {
    handler: "functions/export/followCluster.handler",
    description: `Has RDS export the cluster of ${id}, and looks how far it is`,
    grants: [
      exportCluster(role, exportKey),
      onBucket(stack, half, readDumps, writeDumps, openDumps),
      jobItems(table, [partitions.records(id)], ["GetItem"]),
      jobItems(table, [partitions.steps(id), partitions.locks(id)], ["GetItem", "UpdateItem"]),
      useKey(stack, key, "dynamodb"),
      publishProgress(bus.eventBusArn, id),
    ],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      ...storeEnvironment(exports),
      OPENEMR_OPS_CLUSTER: stack.formatArn({
        service: "rds",
        resource: "cluster",
        resourceName: cluster,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
      OPENEMR_OPS_EXPORT_ROLE: role.roleArn,
      OPENEMR_OPS_EXPORT_KEY: exportKey.keyArn,
    },
    key,
    removable,
    timeoutSeconds: 240,
  });
  accept(stack, "RdsExportRole/DefaultPolicy/Resource", ownRights, objectsForRds);
  accept(stack, "FollowRdsRole/DefaultPolicy/Resource", ownRights, asksRds, objectsOfDumps, unknownKey);
  accept(
    stack,
    "FollowRds/Resource",
    outsideVpc("RDS, S3, DynamoDB and EventBridge"),
    sharedConcurrency,
    answersWorkflow,
  );
  return { follow };
};
