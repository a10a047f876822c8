import { partitions } from "@openemr-ops/core/partitions";
import type { Stack } from "aws-cdk-lib";
import type { DeployedExports, DeployedInstallation } from "./deployment.ts";
import { halfOf } from "./exportTasks.ts";
import type { TaskResourcesContext } from "./InstallationStack.ts";
import { opsFunction } from "./opsFunction.ts";
import { jobItems } from "./policies/jobItems.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openToRead } from "./policies/openDumps.ts";
import { readManifests } from "./policies/readManifests.ts";
import { readStoreSecret } from "./policies/readSecrets.ts";
import { startWorkflows } from "./policies/startWorkflows.ts";
import { useKey } from "./policies/useKey.ts";
import { listExecutions, lookAtExecutions } from "./policies/watchWorkflow.ts";
import { storeEnvironment } from "./storeEnvironment.ts";
import { workflowArn } from "./workflowArn.ts";

/**
 * What notebooks call, for this installation alone: whoever may invoke these reaches no other's. They start a workflow or look
 * at it; none of them reaches the database or a file.
 */
export const exportFunctions = (
  stack: Stack,
  { id }: DeployedInstallation,
  exports: DeployedExports,
  { deployment, plane }: Pick<TaskResourcesContext, "deployment" | "plane">,
) => {
  const { names, removable, stage } = deployment;
  const { key, table } = plane;
  const [database, sites] = (["exportDatabase", "exportSites"] as const).map((kind) =>
    workflowArn(stack, names, id, kind),
  ) as [string, string];
  const common = { key, removable };
  const environment = { OPENEMR_OPS_STAGE: stage, OPENEMR_OPS_INSTALLATION: id };
  const start = (workflow: string) => [
    startWorkflows([workflow]),
    listExecutions(workflow),
    lookAtExecutions(workflow),
    jobItems(table, [partitions.tasks(id)], ["PutItem"]),
    useKey(stack, key, "dynamodb"),
  ];
  return {
    startSites: opsFunction(stack, "EFStoS3Export", {
      ...common,
      handler: "functions/export/EFStoS3Export.handler",
      description: `Starts an export of the files of ${id}; answers the ARN of its task`,
      grants: start(sites),
      environment: { ...environment, OPENEMR_OPS_WORKFLOW: sites },
      timeoutSeconds: 55,
    }),
    startDatabase: opsFunction(stack, "RDStoS3Export", {
      ...common,
      handler: "functions/export/RDStoS3Export.handler",
      description: `Starts an export of the database of ${id}; answers as StartExportTask does`,
      grants: start(database),
      environment: { ...environment, ...storeEnvironment(exports), OPENEMR_OPS_WORKFLOW: database },
      timeoutSeconds: 55,
    }),
    status: opsFunction(stack, "ExportStatus", {
      ...common,
      handler: "functions/export/status.handler",
      description: `Reports an export of ${id}: state, figures, where the data is, which tables were left out`,
      grants: [
        jobItems(table, [partitions.records(id), partitions.steps(id), partitions.tasks(id)], ["GetItem"]),
        useKey(stack, key, "dynamodb"),
        listExecutions(database, sites),
        onBucket(stack, halfOf("database", exports), readManifests, openToRead),
        readStoreSecret(stack, exports),
      ],
      environment: {
        ...environment,
        ...storeEnvironment(exports),
        OPENEMR_OPS_WORKFLOWS: [database, sites].join(","),
      },
      timeoutSeconds: 30,
    }),
  };
};
