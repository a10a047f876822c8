import { jobKinds } from "@openemr-ops/events/jobKinds";
import { CfnOutput, Duration, type Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { CfnDatabase } from "aws-cdk-lib/aws-glue";
import { Construct } from "constructs";
import { acceptInExports } from "./accepted/exports.ts";
import type { DeployedExports, DeployedInstallation } from "./deployment.ts";
import { exportBucket } from "./exportBucket.ts";
import { exportFunctions } from "./exportFunctions.ts";
import { exportTasks } from "./exportTasks.ts";
import type { SectionResources, TaskResourcesContext } from "./InstallationStack.ts";
import { notebookRole } from "./notebookRole.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { runTask } from "./policies/runTask.ts";
import { containerWorkflow } from "./workflows/containerWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";

/**
 * What the section `exports` of an installation needs: a task and a workflow for each export, the functions that notebooks
 * call, their role, and a database of Glue for the tables that an export describes.
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
  if (exports.newBucket !== undefined) exportBucket(stack, exports.newBucket, deployment.removable);
  const tasks = exportTasks(stack, installation, exports, context);
  const containers = { cluster, network, partition: stack.partition };

  const machine = (kind: "exportDatabase" | "exportSites", name: string, task: FargateTaskDefinition) => {
    const { workflow } = jobKinds[kind];
    const scope = new Construct(stack, workflow);
    return stateMachine(scope, {
      name: names.stateMachine(id, workflow),
      definition: containerWorkflow(scope, { kind, installation: id, begin, finish, fail }, containers, {
        name,
        task: task.taskDefinitionArn,
        hours: 24,
      }),
      timeout: Duration.days(5), // longer than all attempts
      log: plane.workflowLog,
      grants: [invokeFunctions(begin, finish, fail), runTask(stack, cluster, task)],
    });
  };
  const stateMachines = [
    machine("exportDatabase", "Export database", tasks.database),
    machine("exportSites", "Export sites", tasks.sites),
  ];
  const { startSites, startDatabase, status } = exportFunctions(stack, installation, exports, context);
  const notebooks = notebookRole(stack, exports, [startSites, startDatabase, status]);
  const name = `${names.prefix}_${id}`.replaceAll("-", "_");
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
  };
  for (const [output, value] of Object.entries(outputs)) new CfnOutput(stack, output, { value });
  acceptInExports(stack);
  return { stateMachines };
};
