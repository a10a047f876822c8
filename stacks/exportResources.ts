import { jobKinds } from "@openemr-ops/events/jobKinds";
import { CfnOutput, Duration, type Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { CfnDatabase } from "aws-cdk-lib/aws-glue";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import { acceptInExports } from "./accepted/exports.ts";
import { auroraParts } from "./auroraParts.ts";
import type { DeployedExports, DeployedInstallation } from "./deployment.ts";
import { exportBucket, exportKey } from "./exportBucket.ts";
import { exportFunctions } from "./exportFunctions.ts";
import { exportTasks } from "./exportTasks.ts";
import type { SectionResources, TaskResourcesContext } from "./InstallationStack.ts";
import { notebookRole } from "./notebookRole.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { runTask } from "./policies/runTask.ts";
import { sparkParts } from "./sparkParts.ts";
import { auroraWorkflow } from "./workflows/auroraWorkflow.ts";
import { containerWorkflow } from "./workflows/containerWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";
import type { Workflow } from "./workflows/steps.ts";

/**
 * What the section `exports` of an installation needs: a task and a workflow for each export, the functions that notebooks
 * call, their role, a database of Glue for the tables that an export describes, and Spark where it is asked for.
 */
export const exportResources = (
  stack: Stack,
  installation: DeployedInstallation,
  exports: DeployedExports,
  context: TaskResourcesContext,
): SectionResources => {
  const { deployment, plane, cluster } = context;
  const { names } = deployment;
  const { id, network } = installation;
  const { begin, finish, fail } = plane;
  const { newBucket, cluster: databaseCluster } = exports;
  const { removable } = deployment;
  const key = newBucket !== undefined || databaseCluster !== undefined ? exportKey(stack, id, removable) : undefined;
  if (newBucket !== undefined && key) exportBucket(stack, newBucket, key, removable);
  const aurora =
    databaseCluster !== undefined && key
      ? auroraParts(stack, installation, exports, context, { cluster: databaseCluster, exportKey: key })
      : undefined;
  const tasks = exportTasks(stack, installation, exports, context);
  const containers = { cluster, network, partition: stack.partition };

  const machine = (
    kind: "exportDatabase" | "exportSites",
    task: FargateTaskDefinition,
    define: (scope: Construct, workflow: Workflow) => IChainable,
    ...functions: readonly IFunction[]
  ) => {
    const { workflow } = jobKinds[kind];
    const scope = new Construct(stack, workflow);
    return stateMachine(scope, {
      name: names.stateMachine(id, workflow),
      definition: define(scope, { kind, installation: id, begin, finish, fail }),
      timeout: Duration.days(5), // longer than all attempts
      log: plane.workflowLog,
      grants: [invokeFunctions(begin, finish, fail, ...functions), runTask(stack, cluster, task)],
    });
  };
  const byContainer = (name: string, { taskDefinitionArn: task }: FargateTaskDefinition) => {
    return (scope: Construct, workflow: Workflow) =>
      containerWorkflow(scope, workflow, containers, { name, task, hours: 24 });
  };
  const stateMachines = [
    aurora
      ? machine(
          "exportDatabase",
          tasks.database,
          (scope, workflow) =>
            auroraWorkflow(scope, workflow, containers, { task: tasks.database.taskDefinitionArn, ...aurora }),
          aurora.follow,
        )
      : machine("exportDatabase", tasks.database, byContainer("Export database", tasks.database)),
    machine("exportSites", tasks.sites, byContainer("Export sites", tasks.sites)),
  ];
  const { startSites, startDatabase, status } = exportFunctions(stack, installation, exports, context);
  const name = exports.catalogue ?? `${names.prefix}_${id}`.replaceAll("-", "_");
  const spark = exports.spark && exports.bucket ? sparkParts(stack, `${names.prefix}-${id}`, exports, name) : undefined;
  const notebooks = notebookRole(stack, exports, [startSites, startDatabase, status], spark?.startJobs ?? []);
  new CfnDatabase(stack, "Catalogue", {
    catalogId: stack.account,
    databaseInput: { name, description: `Exports of ${id}` },
  });
  const outputs = {
    EFStoS3ExportFunction: startSites.functionName,
    RDStoS3ExportFunction: startDatabase.functionName,
    ExportStatusFunction: status.functionName,
    NotebookRoleArn: notebooks.roleArn,
    ExportCatalogue: name,
    ...spark?.outputs,
  };
  for (const [output, value] of Object.entries(outputs)) new CfnOutput(stack, output, { value });
  acceptInExports(stack, exports);
  return { stateMachines };
};
