import { RemovalPolicy, type Stack, Tags } from "aws-cdk-lib";
import { type ILogGroup, LogGroup } from "aws-cdk-lib/aws-logs";
import type { StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { StackContext } from "sst/constructs";
import { alarm, quarter, sumOf } from "./alarm.ts";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { DeployedInstallation, Deployment } from "./deployment.ts";
import { dumpResources } from "./dumpResources.ts";
import { exportResources } from "./exportResources.ts";
import { healthResources } from "./healthResources.ts";
import { installationSchedules } from "./installationSchedules.ts";
import { mailResources } from "./mailResources.ts";
import { logRetention } from "./opsFunction.ts";
import { rotationResources } from "./rotationResources.ts";
import type { TaskImage } from "./taskImage.ts";
import { usersResources } from "./usersResources.ts";
import { vpcEndpoints } from "./vpcEndpoints.ts";

export interface InstallationContext {
  readonly deployment: Deployment;
  readonly plane: ControlPlane;
  readonly image: TaskImage;
  /** When schedules become valid; ISO 8601 UTC. */
  readonly since: string;
}

/** What a section with tasks works with. */
export interface TaskResourcesContext extends Omit<InstallationContext, "since"> {
  /** ARN of the cluster that the tasks run in. */
  readonly cluster: string;
  readonly log: ILogGroup;
}

/** What one section of an installation, or all of them, added to its stack. */
export interface SectionResources {
  readonly stateMachines: readonly StateMachine[];
}

/** An alarm sums up to ten metrics, and a workflow has two. Source: Amazon CloudWatch user guide, "Alarms on math expressions". */
const workflowsOfAnAlarm = 5;

const clusterArn = (stack: Stack, cluster: string): string =>
  cluster.startsWith("arn:")
    ? cluster
    : stack.formatArn({ service: "ecs", resource: "cluster", resourceName: cluster });

/** All that works on one installation and may touch no other: what its sections need, and its schedules. */
export const installationResources = (
  { stack }: StackContext,
  installation: DeployedInstallation,
  { deployment, plane, image, since }: InstallationContext,
): void => {
  const { removable, stage } = deployment;
  const { id, network, dumps, exports, health, rotations, users, inboundMail } = installation;
  const cluster = clusterArn(stack, installation.cluster);
  Tags.of(stack).add("openemr-ops:stage", stage);
  Tags.of(stack).add("openemr-ops:installation", id);

  const log = new LogGroup(stack, "TaskLog", {
    encryptionKey: plane.key,
    retention: logRetention,
    removalPolicy: removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
  });
  const sections: readonly SectionResources[] = [
    ...(dumps ? [dumpResources(stack, installation, dumps, { deployment, plane, image, cluster, log })] : []),
    ...(exports ? [exportResources(stack, installation, exports, { deployment, plane, image, cluster, log })] : []),
    ...(health ? [healthResources(stack, installation, health, { deployment, plane })] : []),
    ...(rotations
      ? [rotationResources(stack, installation, rotations, health, { deployment, plane, image, cluster, log })]
      : []),
    ...(inboundMail ? [mailResources(stack, installation, inboundMail, { deployment, plane })] : []),
    ...(users ? [usersResources(stack, installation, users, { deployment, plane, image, cluster, log })] : []),
  ];
  const stateMachines = sections.flatMap((section) => section.stateMachines);
  if (stateMachines.length === 0) return;

  vpcEndpoints(stack, network, [
    ...(exports?.catalogue === undefined ? [] : ["glue"]),
    ...(exports?.dataSyncTask === undefined ? [] : ["datasync"]),
    ...(rotations?.database ? ["ecs"] : []),
    ...(rotations?.master ? ["rds"] : []),
  ]);
  installationSchedules(stack, installation, { deployment, plane, since });
  for (let first = 0; first < stateMachines.length; first += workflowsOfAnAlarm)
    alarm(stack, `JobsFailed${first === 0 ? "" : first / workflowsOfAnAlarm + 1}`, plane.alarms, {
      metric: sumOf(
        "failed",
        `${id}: jobs that failed`,
        stateMachines
          .slice(first, first + workflowsOfAnAlarm)
          .flatMap((each) => [each.metricFailed(quarter), each.metricTimedOut(quarter)]),
      ),
      description: `A job of ${id} failed (runbook: job-failed)`,
    });
};
