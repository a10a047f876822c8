import { partitions } from "@openemr-ops/core/partitions";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import type { Stack } from "aws-cdk-lib";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { DeployedInstallation, Deployment } from "./deployment.ts";
import { answerTasks } from "./policies/answerTasks.ts";
import { jobItems } from "./policies/jobItems.ts";
import { publishProgress } from "./policies/publishEvents.ts";
import { useKey } from "./policies/useKey.ts";
import { workflowArn } from "./workflowArn.ts";

/** What every task of an installation works with. */
export interface TaskPlane {
  readonly deployment: Deployment;
  readonly plane: ControlPlane;
}

/** Variables of every task of an installation. */
export const taskEnvironment = (stack: Stack, { stage }: Deployment, { taskConfig }: DeployedInstallation) => ({
  OPENEMR_OPS_STAGE: stage,
  OPENEMR_OPS_CONFIG_JSON: taskConfig,
  OPENEMR_OPS_HEARTBEAT_SECONDS: "10",
  AWS_REGION: stack.region,
});

/**
 * Report to the workflow and the bus, and write steps beside the job's record, under the lock that the workflow acquired.
 * Only functions write the record itself: a container can neither end a job nor invent one.
 */
export const takePartIn = (
  stack: Stack,
  { deployment, plane }: TaskPlane,
  installation: string,
  kinds: readonly WorkflowKind[],
): readonly (readonly PolicyStatement[])[] => [
  answerTasks(
    kinds.map((kind) => workflowArn(stack, deployment.names, installation, kind)),
    ["Failure", "Heartbeat", "Success"],
  ),
  jobItems(plane.table, [partitions.records(installation)], ["GetItem"]),
  jobItems(plane.table, [partitions.steps(installation), partitions.locks(installation)], ["GetItem", "UpdateItem"]),
  useKey(stack, plane.key, "dynamodb"),
  publishProgress(plane.bus.eventBusArn, installation),
];
