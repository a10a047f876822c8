import { type WorkflowKind, workflowKinds, workflowNames } from "@openemr-ops/core/names";
import { Duration, RemovalPolicy, type Stack, Tags } from "aws-cdk-lib";
import type { ContainerImage, FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { DefinitionBody, type IChainable, LogLevel, StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import type { StackContext } from "sst/constructs";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { DeployedInstallation, Deployment } from "./deployment.ts";
import { installationSchedules } from "./installationSchedules.ts";
import { installationTasks } from "./installationTasks.ts";
import { logRetention, opsFunction } from "./opsFunction.ts";
import { openDumps } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { runTask } from "./policies/runTask.ts";
import { checkWorkflow } from "./workflows/checkWorkflow.ts";
import { drillWorkflow } from "./workflows/drillWorkflow.ts";
import { dumpWorkflow } from "./workflows/dumpWorkflow.ts";
import { restoreWorkflow } from "./workflows/restoreWorkflow.ts";

export interface InstallationContext {
  readonly deployment: Deployment;
  readonly plane: ControlPlane;
  readonly image: ContainerImage;
  /** From when on schedules count; ISO 8601 UTC. */
  readonly since: string;
}

export type InstallationResources = ReturnType<typeof installationResources>;

const clusterArn = (stack: Stack, cluster: string): string =>
  cluster.startsWith("arn:")
    ? cluster
    : stack.formatArn({ service: "ecs", resource: "cluster", resourceName: cluster });

/** Longer than all its steps with their retries: only a workflow that hangs meets it. */
const longestRun: Readonly<Record<WorkflowKind, Duration>> = {
  dump: Duration.days(5),
  drill: Duration.days(5),
  check: Duration.days(5),
  restore: Duration.days(9),
};

/** All that works on one installation and may touch no other: its tasks, its four workflows, its schedules. */
export const installationResources = (
  { stack }: StackContext,
  installation: DeployedInstallation,
  { deployment, plane, image, since }: InstallationContext,
) => {
  const { names, removable, stage } = deployment;
  const { id } = installation;
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

  const arnOf = (task: FargateTaskDefinition) => task.taskDefinitionArn;
  const definitions: Readonly<
    Record<
      WorkflowKind,
      readonly [(scope: Construct, kind: WorkflowKind) => IChainable, readonly FargateTaskDefinition[]]
    >
  > = {
    dump: [
      (scope, kind) =>
        dumpWorkflow(scope, workflow(kind), { take: arnOf(tasks.dump), confirm, clear: arnOf(tasks.retention) }),
      [tasks.dump, tasks.retention],
    ],
    drill: [(scope, kind) => drillWorkflow(scope, workflow(kind), arnOf(tasks.drill)), [tasks.drill]],
    check: [(scope, kind) => checkWorkflow(scope, workflow(kind), arnOf(tasks.drill)), [tasks.drill]],
    restore: [(scope, kind) => restoreWorkflow(scope, workflow(kind), arnOf(tasks.restore)), [tasks.restore]],
  };
  const { begin, finish, fail } = plane;
  const workflow = (kind: WorkflowKind) => ({
    kind,
    installation: id,
    begin,
    finish,
    fail,
    cluster,
    network: installation.network,
    partition: stack.partition,
  });
  const stateMachines = workflowKinds.map((kind) => {
    const scope = new Construct(stack, workflowNames[kind]);
    const [define, runs] = definitions[kind];
    const stateMachine = new StateMachine(scope, "Workflow", {
      stateMachineName: names.stateMachine(id, kind),
      definitionBody: DefinitionBody.fromChainable(define(scope, kind)),
      timeout: longestRun[kind],
      tracingEnabled: true,
      logs: { destination: plane.workflowLog, level: LogLevel.ERROR, includeExecutionData: false },
    });
    for (const task of runs)
      for (const statement of runTask(stack, cluster, task)) stateMachine.addToRolePolicy(statement);
    return { kind, stateMachine };
  });

  installationSchedules(stack, installation, { deployment, plane, since });
  return { id, confirm, stateMachines };
};
