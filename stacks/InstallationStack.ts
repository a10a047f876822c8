import { type WorkflowKind, workflowNames } from "@openemr-ops/core/names";
import { Duration, RemovalPolicy, type Stack, Tags } from "aws-cdk-lib";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { StackContext } from "sst/constructs";
import { alarm, quarter, sumOf } from "./alarm.ts";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { DeployedInstallation, Deployment } from "./deployment.ts";
import { installationSchedules } from "./installationSchedules.ts";
import { installationTasks } from "./installationTasks.ts";
import { logRetention, opsFunction } from "./opsFunction.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { openDumps } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { runTask } from "./policies/runTask.ts";
import type { TaskImage } from "./taskImage.ts";
import { vpcEndpoints } from "./vpcEndpoints.ts";
import { checkWorkflow } from "./workflows/checkWorkflow.ts";
import { drillWorkflow } from "./workflows/drillWorkflow.ts";
import { dumpWorkflow } from "./workflows/dumpWorkflow.ts";
import { restoreWorkflow } from "./workflows/restoreWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";

export interface InstallationContext {
  readonly deployment: Deployment;
  readonly plane: ControlPlane;
  readonly image: TaskImage;
  /** From when on schedules count; ISO 8601 UTC. */
  readonly since: string;
}

export type InstallationResources = ReturnType<typeof installationResources>;

const clusterArn = (stack: Stack, cluster: string): string =>
  cluster.startsWith("arn:")
    ? cluster
    : stack.formatArn({ service: "ecs", resource: "cluster", resourceName: cluster });

/** Longer than all steps with their retries: only a workflow that hangs meets it. */
const longestRun = Duration.days(9);

/** All that works on one installation and may touch no other: its tasks, its four workflows, its schedules. */
export const installationResources = (
  { stack }: StackContext,
  installation: DeployedInstallation,
  { deployment, plane, image, since }: InstallationContext,
) => {
  const { names, removable, stage } = deployment;
  const { id, network } = installation;
  const cluster = clusterArn(stack, installation.cluster);
  Tags.of(stack).add("openemr-ops:stage", stage);
  Tags.of(stack).add("openemr-ops:installation", id);

  const log = new LogGroup(stack, "TaskLog", {
    encryptionKey: plane.key,
    retention: logRetention,
    removalPolicy: removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
  });
  const tasks = installationTasks(stack, installation, { deployment, plane, image, log });
  const confirm = opsFunction(stack, "Confirm", {
    handler: "functions/job/confirm.handler",
    description: `Looks at the destination of ${id} itself: is the dump there, whole?`,
    grants: [readDumps(stack, installation), openDumps(stack, installation, { write: false })],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      OPENEMR_OPS_FORMAT: installation.format,
      OPENEMR_OPS_DESTINATION: JSON.stringify(installation.destination),
    },
    key: plane.key,
    removable,
    timeoutSeconds: 900,
    memoryMiB: 1024,
  });

  const { begin, finish, fail } = plane;
  const machine = (
    kind: WorkflowKind,
    runs: readonly (typeof tasks)[keyof typeof tasks][],
    define: (scope: Construct, workflow: Parameters<typeof checkWorkflow>[1]) => ReturnType<typeof checkWorkflow>,
    ...functions: readonly (typeof confirm)[]
  ) => {
    const scope = new Construct(stack, workflowNames[kind]);
    const { partition } = stack;
    const made = stateMachine(scope, {
      name: names.stateMachine(id, kind),
      definition: define(scope, { kind, installation: id, begin, finish, fail, cluster, network, partition }),
      timeout: longestRun,
      log: plane.workflowLog,
      grants: [
        invokeFunctions(begin, finish, fail, ...functions),
        ...runs.map((task) => runTask(stack, cluster, task)),
      ],
    });
    return made;
  };
  const { dump, retention, drill, restore } = tasks;
  const stateMachines = [
    machine(
      "dump",
      [dump, retention],
      (scope, workflow) =>
        dumpWorkflow(scope, workflow, { take: dump.taskDefinitionArn, confirm, clear: retention.taskDefinitionArn }),
      confirm,
    ),
    machine("drill", [drill], (scope, workflow) => drillWorkflow(scope, workflow, drill.taskDefinitionArn)),
    machine("check", [drill], (scope, workflow) => checkWorkflow(scope, workflow, drill.taskDefinitionArn)),
    machine("restore", [restore], (scope, workflow) => restoreWorkflow(scope, workflow, restore.taskDefinitionArn)),
  ];

  vpcEndpoints(stack, network);
  installationSchedules(stack, installation, { deployment, plane, since });
  alarm(stack, "JobsFailed", plane.alarms, {
    metric: sumOf(
      "failed",
      `${id}: jobs that failed`,
      stateMachines.flatMap((each) => [each.metricFailed(quarter), each.metricTimedOut(quarter)]),
    ),
    description: `A job of ${id} failed (runbook: job-failed)`,
  });
  alarm(stack, "ConfirmErrors", plane.alarms, {
    metric: confirm.metricErrors(quarter),
    description: `A dump of ${id} is not confirmed (runbook: job-failed)`,
  });
  return { id, confirm, stateMachines };
};
