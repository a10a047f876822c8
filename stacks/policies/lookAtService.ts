import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** See whether OpenEMR's service is stopped: its counts, and the list of its cluster's tasks, which has no resource to name. */
export const lookAtService = (
  stack: Stack,
  { cluster, service }: { readonly cluster: string; readonly service: string },
): readonly PolicyStatement[] => {
  const clusterName = cluster.split("/").at(-1) ?? cluster;
  const arnOf = (name: string, resource: string, resourceName: string) =>
    name.startsWith("arn:") ? name : stack.formatArn({ service: "ecs", resource, resourceName });
  return [
    new PolicyStatement({
      actions: ["ecs:DescribeServices"],
      resources: [arnOf(service, "service", `${clusterName}/${service}`)],
    }),
    new PolicyStatement({
      actions: ["ecs:ListTasks"],
      resources: ["*"],
      conditions: { ArnEquals: { "ecs:cluster": arnOf(cluster, "cluster", cluster) } },
    }),
  ];
};
