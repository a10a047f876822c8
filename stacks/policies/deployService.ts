import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Deploy OpenEMR's service anew, and see how far that is. Which tasks it runs, and how many, is OpenEMR's own deployment's decision. */
export const deployService = (
  stack: Stack,
  { cluster, service }: { readonly cluster: string; readonly service: string },
  actions: readonly ("DescribeServices" | "UpdateService")[],
): readonly PolicyStatement[] => {
  const clusterName = cluster.split("/").at(-1) ?? cluster;
  const resource = service.startsWith("arn:")
    ? service
    : stack.formatArn({ service: "ecs", resource: "service", resourceName: `${clusterName}/${service}` });
  return [new PolicyStatement({ actions: actions.map((name) => `ecs:${name}`), resources: [resource] })];
};
