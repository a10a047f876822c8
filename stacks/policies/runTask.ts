import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

interface RunnableTask {
  readonly family: string;
  readonly taskRole: { readonly roleArn: string };
  readonly executionRole?: { readonly roleArn: string } | undefined;
}

/** Of a cluster's ARN. */
const nameOf = (cluster: string): string => cluster.slice(cluster.lastIndexOf("/") + 1);

/** Run one task definition, in any revision, in one cluster, with its own roles; its tags go to the task while it is created. */
export const runTask = (stack: Stack, cluster: string, task: RunnableTask): readonly PolicyStatement[] => {
  const roles = [task.taskRole, ...(task.executionRole ? [task.executionRole] : [])];
  return [
    new PolicyStatement({
      actions: ["ecs:RunTask"],
      resources: [stack.formatArn({ service: "ecs", resource: "task-definition", resourceName: `${task.family}:*` })],
      conditions: { ArnEquals: { "ecs:cluster": cluster } },
    }),
    new PolicyStatement({
      actions: ["ecs:TagResource"],
      resources: [stack.formatArn({ service: "ecs", resource: "task", resourceName: `${nameOf(cluster)}/*` })],
      conditions: { StringEquals: { "ecs:CreateAction": "RunTask" } },
    }),
    new PolicyStatement({
      actions: ["iam:PassRole"],
      resources: roles.map(({ roleArn }) => roleArn),
      conditions: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    }),
  ];
};
