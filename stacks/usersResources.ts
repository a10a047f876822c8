import { taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import { jobKinds } from "@openemr-ops/events/jobKinds";
import { Duration, type Stack } from "aws-cdk-lib";
import { Construct } from "constructs";
import { accept } from "./accepted/accept.ts";
import {
  anyRevision,
  configurationInEnvironment,
  logsAndTraces,
  logsErrorsOnly,
  newTasks,
  ownRights,
  pullsImage,
  unknownKey,
} from "./accepted/findings.ts";
import type { DeployedInstallation, DeployedUsers } from "./deployment.ts";
import type { SectionResources, TaskResourcesContext } from "./InstallationStack.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { mountSites } from "./policies/mountSites.ts";
import { readSecrets, writePasswords } from "./policies/readSecrets.ts";
import { runTask } from "./policies/runTask.ts";
import { taskDefinition } from "./taskDefinition.ts";
import { takePartIn, taskEnvironment } from "./taskPart.ts";
import { containerWorkflow } from "./workflows/containerWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";

/**
 * What the section `users` of an installation needs: a task beside the database, which reads `sqlconf.php`, and its workflow.
 * No other role may read the administrator's secret or write a password.
 */
export const usersResources = (
  stack: Stack,
  installation: DeployedInstallation,
  { administrator, dump, restore }: DeployedUsers,
  { deployment, plane, image, cluster, log }: TaskResourcesContext,
): SectionResources => {
  const { names, removable } = deployment;
  const { id, network } = installation;
  const task = taskDefinition(stack, "Users", {
    family: `${names.prefix}-${id}-users`,
    size: taskSizeOf(installation.task, "retention"), // the smallest: it holds nothing
    installation,
    image,
    log,
    environment: taskEnvironment(stack, deployment, installation),
    removable,
    sites: "read",
    grants: [
      ...takePartIn(stack, { deployment, plane }, id, ["users"]),
      readSecrets(stack, [administrator, dump, restore]),
      writePasswords(stack, [dump, restore]),
      mountSites(stack, installation, { write: false }),
    ],
  });
  const { begin, finish, fail } = plane;
  const { workflow } = jobKinds.users;
  const scope = new Construct(stack, workflow);
  const machine = stateMachine(scope, {
    name: names.stateMachine(id, workflow),
    definition: containerWorkflow(
      scope,
      { kind: "users", installation: id, begin, finish, fail },
      { cluster, network, partition: stack.partition },
      { name: "Prepare users", task: task.taskDefinitionArn, hours: 1 },
    ),
    timeout: Duration.hours(12),
    log: plane.workflowLog,
    grants: [invokeFunctions(begin, finish, fail), runTask(stack, cluster, task)],
  });
  accept(stack, "UsersRole/DefaultPolicy/Resource", ownRights, unknownKey);
  accept(stack, "UsersStartRole/DefaultPolicy/Resource", ownRights, pullsImage);
  accept(stack, "Users/Resource", configurationInEnvironment);
  accept(stack, `${workflow}/Role/DefaultPolicy/Resource`, ownRights, logsAndTraces, anyRevision, newTasks);
  accept(stack, `${workflow}/Workflow/Resource`, logsErrorsOnly);
  return { stateMachines: [machine] };
};
